//! From meters and incidents to invoices: usage in arrears, corrections by difference, rent given back, every line
//! computed again to the same cent.

mod credits;
mod field;
mod minimum;
mod shared;
mod tariffs;
mod true_up;
mod usage;
mod utility_bills;
