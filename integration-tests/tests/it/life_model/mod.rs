//! The life of an agreed lease held to an obvious model, which goes through the calendar day by day and looks at everything
//! on each: pure, for as many steps as there is time for, and over the wire with inventory and billing beside it.

mod later;
mod options;
mod papers;
mod plain;
mod pure;
mod rights;
mod wire;
mod wire_papers;
mod wire_rights;
