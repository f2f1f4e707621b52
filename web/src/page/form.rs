//! Plain forms: what a person sent, and what was wrong with it, in its place.

use std::collections::BTreeMap;

use axum::extract::{Form, FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::error::Problem;

/// A form's fields.
pub(crate) struct Posted<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = Form::<T>::from_request(request, state).await;
        form.map(|Form(form)| Self(form)).map_err(|error| Problem::body(error.status(), error.body_text()))
    }
}

/// What is wrong, by the field's name; under the empty name, what is wrong with all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrong(BTreeMap<&'static str, String>);

impl Wrong {
    pub(crate) fn say(&mut self, field: &'static str, what: impl Into<String>) {
        self.0.insert(field, what.into());
    }

    /// Of one field; templates ask.
    pub(crate) fn of(&self, field: &str) -> Option<&String> {
        self.0.get(field)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it, for the list at the top: field, sentence.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&&'static str, &String)> {
        self.0.iter()
    }
}
