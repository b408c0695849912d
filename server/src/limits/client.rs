//! Slots that clients take (connections, streams), counted in total and per address, and amounts that clients hold.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// The client behind a connection, identified by its address. An IPv6 client usually has a whole /64 network, so each
/// /64 counts as one client.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The address, or the network of an IPv6 address. Clients with the same network are equal.
    network: IpAddr,
    address: IpAddr,
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.network == other.network
    }
}

impl Eq for Client {}

impl Hash for Client {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.network.hash(state);
    }
}

impl Client {
    /// Makes the client at `address`.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let network = match address {
            IpAddr::V6(address) if !address.is_loopback() => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address => address,
        };
        Self { network, address }
    }

    /// The address of its connection.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Returns true if it is on this machine: a reverse proxy, which stands for many clients, or a local program.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.address.is_loopback()
    }
}

/// The client of a request, if bounds per address apply to it. `None` for a client on this machine: a reverse proxy
/// stands for many clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitedClient(pub Option<Client>);

/// Amounts of a shared resource that clients hold, each up to a bound. Clones count together.
#[derive(Clone, Debug)]
pub struct ClientQuota(Arc<QuotaInner>);

#[derive(Debug)]
struct QuotaInner {
    most: usize,
    held: Mutex<HashMap<Client, usize>>,
}

/// An amount that a client holds; released when dropped.
#[derive(Debug)]
pub struct QuotaShare {
    all: ClientQuota,
    client: Client,
    amount: usize,
}

impl ClientQuota {
    /// Makes a counter with the bound `most` for each client.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(QuotaInner { most, held: Mutex::default() }))
    }

    /// The maximum amount of one client.
    #[must_use]
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// Returns true if a client holds more than its bound.
    #[must_use]
    pub fn is_over(&self, client: Client) -> bool {
        self.0.held.lock().get(&client).is_some_and(|&held| held > self.0.most)
    }

    /// Counts an amount, even if the client exceeds its bound by it.
    #[must_use]
    pub fn take(&self, client: Client, amount: usize) -> QuotaShare {
        *self.0.held.lock().entry(client).or_default() += amount;
        QuotaShare { all: self.clone(), client, amount }
    }
}

impl QuotaShare {
    /// The client.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client
    }

    /// Adds to the amount. Returns false if the client's bound does not permit it; then nothing changed.
    pub fn grow(&mut self, amount: usize) -> bool {
        let mut held = self.all.0.held.lock();
        let own = held.entry(self.client).or_default();
        let may = own.checked_add(amount).is_some_and(|sum| sum <= self.all.0.most);
        if may {
            *own += amount;
            self.amount += amount;
        } else if *own == 0 {
            held.remove(&self.client);
        }
        may
    }

    /// Releases a part of the amount.
    pub fn shrink(&mut self, amount: usize) {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        let mut held = self.all.0.held.lock();
        if let Some(own) = held.get_mut(&self.client) {
            *own -= amount;
            if *own == 0 {
                held.remove(&self.client);
            }
        }
    }
}

impl Drop for QuotaShare {
    fn drop(&mut self) {
        self.shrink(self.amount);
    }
}

/// Counts the slots that are taken, up to a bound in total and one per client. Clones count together.
#[derive(Clone, Debug)]
pub struct ClientSlots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    most_per_client: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// Clients that have a slot, with the number of their slots.
    by_client: HashMap<Client, usize>,
}

/// The bound that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All clients together have the maximum.
    Total,
    /// This client has its maximum.
    Client,
}

/// A slot that is taken; released when dropped.
#[derive(Debug)]
pub struct ClientSlot {
    slots: ClientSlots,
    client: Client,
}

impl ClientSlots {
    /// Makes at most `most` slots, and `most_per_client` for each client.
    #[must_use]
    pub fn new(most: usize, most_per_client: usize) -> Self {
        Self(Arc::new(Inner { most, most_per_client, taken: Mutex::default() }))
    }

    /// Takes a slot for a client.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(&self, client: Client) -> Result<ClientSlot, Full> {
        let mut taken = self.0.taken.lock();
        if taken.total >= self.0.most {
            return Err(Full::Total);
        }
        let own = taken.by_client.get(&client).copied().unwrap_or(0);
        if own >= self.0.most_per_client {
            return Err(Full::Client);
        }
        taken.total += 1;
        taken.by_client.insert(client, own + 1);
        Ok(ClientSlot { slots: self.clone(), client })
    }

    /// Maximum number of slots in total.
    #[must_use]
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// Maximum number of slots of each client.
    #[must_use]
    pub fn most_per_client(&self) -> usize {
        self.0.most_per_client
    }

    /// Number of slots that are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.0.taken.lock().total
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.taken.lock();
        taken.total -= 1;
        if let Some(own) = taken.by_client.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                taken.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(last: u8) -> Client {
        Client::at(IpAddr::from([10, 0, 0, last]))
    }

    proptest! {
        #[test]
        fn no_bound_is_passed_and_what_is_given_up_can_be_taken_again(
            steps in proptest::collection::vec((0..4_u8, any::<bool>()), 0..200),
        ) {
            let slots = ClientSlots::new(10, 4);
            let mut held: Vec<(u8, ClientSlot)> = Vec::new();
            for (of, takes) in steps {
                let own = held.iter().filter(|(other, _)| *other == of).count();
                if takes {
                    match slots.take(client(of)) {
                        Ok(slot) => {
                            prop_assert!(held.len() < 10 && own < 4);
                            held.push((of, slot));
                        }
                        Err(Full::Total) => prop_assert_eq!(held.len(), 10),
                        Err(Full::Client) => prop_assert_eq!(own, 4),
                    }
                } else if let Some(at) = held.iter().position(|(other, _)| *other == of) {
                    held.remove(at);
                }
                prop_assert_eq!(slots.taken(), held.len());
            }
            drop(held);
            prop_assert!(slots.0.taken.lock().by_client.is_empty(), "nothing is kept of clients that left");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_ipv4_within_ipv6_is_ipv4() {
        let at = |text: &str| Client::at(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::3"), at("2001:db8:1:2:ffff::4"));
        assert_ne!(at("2001:db8:1:2::3"), at("2001:db8:1:3::3"));
        assert_eq!(at("::ffff:10.0.0.1"), at("10.0.0.1"));
        assert!(at("::1").is_loopback() && at("127.0.0.2").is_loopback() && !at("10.0.0.1").is_loopback());
    }

    proptest! {
        #[test]
        fn holdings_are_the_sum_of_what_a_client_took_and_nothing_is_kept_of_clients_that_left(
            steps in proptest::collection::vec((0..3_u8, 0..60_usize, any::<bool>()), 0..100),
        ) {
            let all = ClientQuota::new(100);
            let mut held: Vec<QuotaShare> = (0..3).map(|of| all.take(client(of), 0)).collect();
            let mut sums = [0; 3];
            for (of, amount, grows) in steps {
                let (own, sum) = (&mut held[usize::from(of)], &mut sums[usize::from(of)]);
                if grows {
                    let may = *sum + amount <= 100;
                    prop_assert_eq!(own.grow(amount), may);
                    *sum += if may { amount } else { 0 };
                } else {
                    own.shrink(amount);
                    *sum = sum.saturating_sub(amount);
                }
                prop_assert!(!all.is_over(client(of)));
            }
            drop(held);
            prop_assert!(all.0.held.lock().is_empty());
            let _many = all.take(client(1), 101);
            prop_assert!(all.is_over(client(1)) && !all.is_over(client(2)));
        }
    }
}
