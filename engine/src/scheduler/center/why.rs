//! What `why` must know of the records' ids, for whoever reads rows.

pub use super::order::assay_id;
pub use super::take::EMERGENCY;
