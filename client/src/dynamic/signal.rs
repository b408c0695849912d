//! Leptos' signals, of one type each, whatever is in them.
//!
//! A signal, a memo or a stored value is compiled anew for each type that is put into it: some two kilobytes of the page
//! each. These are the same ones behind a type that only here is known to hold anything: to look costs a comparison of
//! types. What stays in its thread has a [`LocalValue`].

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use leptos::prelude as base;
use leptos::prelude::{Read as _, ReadUntracked as _, ReadValue as _, Track as _, Write as _, WriteValue as _};

/// Why reading cannot fail: whoever may outlive the owner asks with `try_`.
const LIVES: &str = "its owner lives for as long as anyone reads it";

type Kept = Box<dyn Any + Send + Sync>;

/// The same of what stays in its thread.
type KeptHere = Box<dyn Any>;

/// What a value of a memo is kept as.
struct Made(Box<dyn Same>);

trait Same: Any + Send + Sync {
    fn same(&self, other: &dyn Any) -> bool;
}

impl<T: PartialEq + Send + Sync + 'static> Same for T {
    fn same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }
}

impl PartialEq for Made {
    fn eq(&self, other: &Self) -> bool {
        let other: &dyn Any = &*other.0;
        self.0.same(other)
    }
}

fn held<T: 'static>(kept: &dyn Any) -> &T {
    kept.downcast_ref().expect("what is put in is of the type of the handle")
}

fn held_mut<T: 'static>(kept: &mut dyn Any) -> &mut T {
    kept.downcast_mut().expect("what is put in is of the type of the handle")
}

macro_rules! handle {
    ($name:ident) => {
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

/// A value that is followed: who has read it hears of each change.
pub struct RwSignal<T>(base::RwSignal<Kept>, PhantomData<fn() -> T>);

handle!(RwSignal);

impl<T: Send + Sync + 'static> RwSignal<T> {
    /// Of the owner that it is made under.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(of_kept(Box::new(value)), PhantomData)
    }

    /// Follows it without reading it.
    pub fn track(self) {
        self.0.track();
    }

    /// What is in it, followed.
    ///
    /// # Panics
    /// Where its owner is gone.
    pub fn with<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.track();
        self.with_untracked(look)
    }

    /// What is in it, without following it.
    ///
    /// # Panics
    /// Where its owner is gone.
    pub fn with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with_untracked(look).expect(LIVES)
    }

    /// What is in it, without following it; nothing where its owner is gone.
    pub fn try_with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let kept = self.0.try_read_untracked()?;
        Some(look(held(&**kept)))
    }

    /// Changes it.
    pub fn update(self, change: impl FnOnce(&mut T)) {
        _ = self.try_update(change);
    }

    /// Changes it; nothing where its owner is gone.
    pub fn try_update<R>(self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut kept = self.0.try_write()?;
        Some(change(held_mut(&mut **kept)))
    }

    /// Puts another value in.
    pub fn set(self, value: T) {
        _ = self.try_set(value);
    }

    /// Puts another value in; gives it back where the owner is gone.
    pub fn try_set(self, value: T) -> Option<T> {
        let Some(mut kept) = self.0.try_write() else { return Some(value) };
        *held_mut(&mut **kept) = value;
        None
    }
}

impl<T: Clone + Send + Sync + 'static> RwSignal<T> {
    /// A copy of it, followed.
    #[must_use]
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// A copy of it, without following it.
    #[must_use]
    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }

    /// A copy of it, without following it; nothing where its owner is gone.
    #[must_use]
    pub fn try_get_untracked(self) -> Option<T> {
        self.try_with_untracked(T::clone)
    }
}

/// A value made of others that are followed; who has read it hears only where it is another.
pub struct Memo<T>(base::Memo<Made>, PhantomData<fn() -> T>);

handle!(Memo);

impl<T: PartialEq + Send + Sync + 'static> Memo<T> {
    /// Of the owner that it is made under.
    #[must_use]
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self(of_made(Box::new(move || Made(Box::new(make())))), PhantomData)
    }

    /// What is in it, followed.
    ///
    /// # Panics
    /// Where its owner is gone.
    pub fn with<R>(self, look: impl FnOnce(&T) -> R) -> R {
        let made = self.0.read();
        let made: &dyn Any = &*made.0;
        look(held(made))
    }

    /// What is in it, without following it.
    ///
    /// # Panics
    /// Where its owner is gone.
    pub fn with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with_untracked(look).expect(LIVES)
    }

    /// What is in it, without following it; nothing where its owner is gone.
    pub fn try_with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let made = self.0.try_read_untracked()?;
        let made: &dyn Any = &*made.0;
        Some(look(held(made)))
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Memo<T> {
    /// A copy of it, followed.
    #[must_use]
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// A copy of it, without following it.
    #[must_use]
    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }

    /// A copy of it, without following it; nothing where its owner is gone.
    #[must_use]
    pub fn try_get_untracked(self) -> Option<T> {
        self.try_with_untracked(T::clone)
    }
}

/// What lives as long as an owner, and nobody follows; both kinds differ only in what may be in them.
macro_rules! stored {
    ($(#[$doc:meta])* $name:ident, $kept:ty, $storage:ty, $new:ident, $($bound:ident)*) => {
        $(#[$doc])*
        pub struct $name<T>(base::StoredValue<$kept, $storage>, PhantomData<fn() -> T>);

        handle!($name);

        impl<T: $($bound +)* 'static> $name<T> {
            /// Of the owner that it is made under.
            #[must_use]
            pub fn new(value: T) -> Self {
                let kept: $kept = Box::new(value);
                Self(base::StoredValue::<$kept, $storage>::$new(kept), PhantomData)
            }

            /// What is in it.
            ///
            /// # Panics
            /// Where its owner is gone.
            pub fn with_value<R>(self, look: impl FnOnce(&T) -> R) -> R {
                self.try_with_value(look).expect(LIVES)
            }

            /// What is in it; nothing where its owner is gone.
            pub fn try_with_value<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
                let kept = self.0.try_read_value()?;
                Some(look(held(&**kept)))
            }

            /// Changes it.
            pub fn update_value(self, change: impl FnOnce(&mut T)) {
                _ = self.try_update_value(change);
            }

            /// Changes it; nothing where its owner is gone.
            pub fn try_update_value<R>(self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
                let mut kept = self.0.try_write_value()?;
                Some(change(held_mut(&mut **kept)))
            }

            /// Puts another value in.
            pub fn set_value(self, value: T) {
                _ = self.try_set_value(value);
            }

            /// Puts another value in; gives it back where the owner is gone.
            pub fn try_set_value(self, value: T) -> Option<T> {
                let Some(mut kept) = self.0.try_write_value() else { return Some(value) };
                *held_mut(&mut **kept) = value;
                None
            }
        }

        impl<T: Clone + $($bound +)* 'static> $name<T> {
            /// A copy of it.
            #[must_use]
            pub fn get_value(self) -> T {
                self.with_value(T::clone)
            }

            /// A copy of it; nothing where its owner is gone.
            #[must_use]
            pub fn try_get_value(self) -> Option<T> {
                self.try_with_value(T::clone)
            }
        }
    };
}

stored! {
    /// A value that lives as long as an owner, and that nobody follows.
    StoredValue, Kept, base::SyncStorage, new, Send Sync
}

stored! {
    /// The same of what cannot leave its thread, as nothing of the browser can.
    LocalValue, KeptHere, base::LocalStorage, new_local,
}

// One copy of what Leptos makes of each.

fn of_kept(value: Kept) -> base::RwSignal<Kept> {
    base::RwSignal::new(value)
}

fn of_made(make: Box<dyn Fn() -> Made + Send + Sync>) -> base::Memo<Made> {
    base::Memo::new(move |_| make())
}
