//! Type-erased signals: Leptos' signals, memos and stored values, compiled for one content type only.
//!
//! Leptos compiles a signal, a memo or a stored value again for each content type, which is some two kilobytes of the
//! page each time. These handles wrap a single boxed type, and only this file casts it back. Reading costs one
//! comparison of type ids. Values that cannot leave their thread go into a [`LocalValue`].

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use leptos::prelude as base;
use leptos::prelude::{Read as _, ReadUntracked as _, ReadValue as _, Track as _, Write as _, WriteValue as _};

/// The message of a panic that should not happen. Code that may outlive the owner must use the `try_` methods.
const LIVES: &str = "its owner lives for as long as anyone reads it";

type Kept = Box<dyn Any + Send + Sync>;

/// The boxed type of values that cannot leave their thread.
type KeptHere = Box<dyn Any>;

/// The boxed value of a memo.
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

/// A reactive value: subscribers that have read it run again after each change.
pub struct RwSignal<T>(base::RwSignal<Kept>, PhantomData<fn() -> T>);

handle!(RwSignal);

impl<T: Send + Sync + 'static> RwSignal<T> {
    /// Makes a signal that belongs to the current owner.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(of_kept(Box::new(value)), PhantomData)
    }

    /// Subscribes to the value without reading it.
    pub fn track(self) {
        self.0.track();
    }

    /// Reads the value; reactive.
    ///
    /// # Panics
    /// If its owner is gone.
    pub fn with<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.track();
        self.with_untracked(look)
    }

    /// Reads the value without subscribing.
    ///
    /// # Panics
    /// If its owner is gone.
    pub fn with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with_untracked(look).expect(LIVES)
    }

    /// Reads the value without subscribing; `None` if its owner is gone.
    pub fn try_with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let kept = self.0.try_read_untracked()?;
        Some(look(held(&**kept)))
    }

    /// Changes the value.
    pub fn update(self, change: impl FnOnce(&mut T)) {
        _ = self.try_update(change);
    }

    /// Changes the value; `None` if its owner is gone.
    pub fn try_update<R>(self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut kept = self.0.try_write()?;
        Some(change(held_mut(&mut **kept)))
    }

    /// Replaces the value.
    pub fn set(self, value: T) {
        _ = self.try_set(value);
    }

    /// Replaces the value. Returns it if the owner is gone.
    pub fn try_set(self, value: T) -> Option<T> {
        let Some(mut kept) = self.0.try_write() else { return Some(value) };
        *held_mut(&mut **kept) = value;
        None
    }
}

impl<T: Clone + Send + Sync + 'static> RwSignal<T> {
    /// Clones the value; reactive.
    #[must_use]
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// Clones the value without subscribing.
    #[must_use]
    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }

    /// Clones the value without subscribing; `None` if its owner is gone.
    #[must_use]
    pub fn try_get_untracked(self) -> Option<T> {
        self.try_with_untracked(T::clone)
    }
}

/// A value derived from reactive values. Subscribers run again only when the result differs.
pub struct Memo<T>(base::Memo<Made>, PhantomData<fn() -> T>);

handle!(Memo);

impl<T: PartialEq + Send + Sync + 'static> Memo<T> {
    /// Makes a memo that belongs to the current owner.
    #[must_use]
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self(of_made(Box::new(move || Made(Box::new(make())))), PhantomData)
    }

    /// Reads the value; reactive.
    ///
    /// # Panics
    /// If its owner is gone.
    pub fn with<R>(self, look: impl FnOnce(&T) -> R) -> R {
        let made = self.0.read();
        let made: &dyn Any = &*made.0;
        look(held(made))
    }

    /// Reads the value without subscribing.
    ///
    /// # Panics
    /// If its owner is gone.
    pub fn with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with_untracked(look).expect(LIVES)
    }

    /// Reads the value without subscribing; `None` if its owner is gone.
    pub fn try_with_untracked<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let made = self.0.try_read_untracked()?;
        let made: &dyn Any = &*made.0;
        Some(look(held(made)))
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Memo<T> {
    /// Clones the value; reactive.
    #[must_use]
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// Clones the value without subscribing.
    #[must_use]
    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }

    /// Clones the value without subscribing; `None` if its owner is gone.
    #[must_use]
    pub fn try_get_untracked(self) -> Option<T> {
        self.try_with_untracked(T::clone)
    }
}

/// Defines a stored value: it lives as long as its owner and has no subscribers. The two kinds differ only in the
/// types that they can hold.
macro_rules! stored {
    ($(#[$doc:meta])* $name:ident, $kept:ty, $storage:ty, $new:ident, $($bound:ident)*) => {
        $(#[$doc])*
        pub struct $name<T>(base::StoredValue<$kept, $storage>, PhantomData<fn() -> T>);

        handle!($name);

        impl<T: $($bound +)* 'static> $name<T> {
            /// Makes a stored value that belongs to the current owner.
            #[must_use]
            pub fn new(value: T) -> Self {
                let kept: $kept = Box::new(value);
                Self(base::StoredValue::<$kept, $storage>::$new(kept), PhantomData)
            }

            /// Reads the value.
            ///
            /// # Panics
            /// If its owner is gone.
            pub fn with_value<R>(self, look: impl FnOnce(&T) -> R) -> R {
                self.try_with_value(look).expect(LIVES)
            }

            /// Reads the value; `None` if its owner is gone.
            pub fn try_with_value<R>(self, look: impl FnOnce(&T) -> R) -> Option<R> {
                let kept = self.0.try_read_value()?;
                Some(look(held(&**kept)))
            }

            /// Changes the value.
            pub fn update_value(self, change: impl FnOnce(&mut T)) {
                _ = self.try_update_value(change);
            }

            /// Changes the value; `None` if its owner is gone.
            pub fn try_update_value<R>(self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
                let mut kept = self.0.try_write_value()?;
                Some(change(held_mut(&mut **kept)))
            }

            /// Replaces the value.
            pub fn set_value(self, value: T) {
                _ = self.try_set_value(value);
            }

            /// Replaces the value. Returns it if the owner is gone.
            pub fn try_set_value(self, value: T) -> Option<T> {
                let Some(mut kept) = self.0.try_write_value() else { return Some(value) };
                *held_mut(&mut **kept) = value;
                None
            }
        }

        impl<T: Clone + $($bound +)* 'static> $name<T> {
            /// Clones the value.
            #[must_use]
            pub fn get_value(self) -> T {
                self.with_value(T::clone)
            }

            /// Clones the value; `None` if its owner is gone.
            #[must_use]
            pub fn try_get_value(self) -> Option<T> {
                self.try_with_value(T::clone)
            }
        }
    };
}

stored! {
    /// A value that lives as long as its owner and has no subscribers.
    StoredValue, Kept, base::SyncStorage, new, Send Sync
}

stored! {
    /// A [`StoredValue`] for values that cannot leave their thread, which includes all objects of the browser.
    LocalValue, KeptHere, base::LocalStorage, new_local,
}

// These functions are not generic, so Leptos' constructors are compiled once.

fn of_kept(value: Kept) -> base::RwSignal<Kept> {
    base::RwSignal::new(value)
}

fn of_made(make: Box<dyn Fn() -> Made + Send + Sync>) -> base::Memo<Made> {
    base::Memo::new(move |_| make())
}
