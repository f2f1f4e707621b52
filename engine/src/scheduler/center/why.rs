//! What `why` must know of the records' ids, for whoever reads rows.

pub use super::order::assay_id;
pub use super::reception::{BARCODE, ITEM, NEAR, barcode_name, near_name};
pub use super::take::EMERGENCY;
