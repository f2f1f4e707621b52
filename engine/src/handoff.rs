//! Hand-off: the forms in which a data center receives what is its. Pure: it knows neither disks nor networks; couriers carry.

pub mod crypt4gh;
