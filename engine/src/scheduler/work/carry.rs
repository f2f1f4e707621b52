//! Carrying a package to its target.

use std::sync::Arc;

use crate::port::courier::{Carried, Courier, Error, Parcel};

pub(in crate::scheduler) struct Work {
    pub(in crate::scheduler) courier: Arc<dyn Courier>,
    pub(in crate::scheduler) parcel: Parcel,
    pub(in crate::scheduler) target: String,
}

impl Work {
    pub(in crate::scheduler) async fn done(&self) -> Result<Carried, Error> {
        self.courier.carry(&self.parcel).await
    }
}
