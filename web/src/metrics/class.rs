//! Which class a route is of: a handful, so that nobody who asks can make a new one.

/// What waits for news, or has no end: how long it takes says nothing.
pub(super) const STREAM: &str = "stream";

/// The class of a route, as the router has it; none when nothing is there.
pub(super) fn of(route: Option<&str>) -> &'static str {
    let Some(route) = route else { return "none" };
    match route {
        "/api/v1/changes" | "/api/v1/events" | "/api/v1/offers" | "/events" => STREAM,
        "/healthz" | "/readyz" => "health",
        "/metrics" => "metrics",
        _ if route.starts_with("/api/") => "api",
        _ if route.starts_with("/ga4gh/") => "drs",
        _ if route.starts_with("/deliveries/") => "files",
        _ if route.starts_with("/assets/") => "assets",
        _ => "page",
    }
}

/// Whoever only looks whether we live, reads what is measured, or waits for news comes every few seconds and is worth no trace.
pub(super) fn is_traced(class: &str) -> bool {
    ![STREAM, "health", "metrics", "assets"].contains(&class)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_route_is_of_one_class_and_what_is_not_there_of_its_own() {
        for (route, class) in [
            ("/api/v1/runs/{id}", "api"),
            ("/api/v1/offers/{id}", "api"),
            ("/api/v1/offers", "stream"),
            ("/events", "stream"),
            ("/deliveries/{delivery}/{*path}", "files"),
            ("/ga4gh/drs/v1/objects/{object_id}", "drs"),
            ("/specimens/{id}", "page"),
            ("/", "page"),
            ("/readyz", "health"),
        ] {
            assert_eq!(of(Some(route)), class, "{route}");
        }
        assert_eq!(of(None), "none");
    }
}
