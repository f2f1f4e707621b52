//! Carrying a package to its target.

use std::sync::Arc;

use crate::port::courier::{Carried, Courier, Error, Parcel};

pub(in crate::scheduler) struct Work {
    pub courier: Arc<dyn Courier>,
    pub parcel: Parcel,
    pub target: String,
}

impl Work {
    pub async fn done(&self) -> Result<Carried, Error> {
        self.courier.carry(&self.parcel).await
    }
}
