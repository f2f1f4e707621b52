//! The API as its callers meet it: a real engine with scripted hands behind a real socket.

#[path = "all/admin_pages.rs"]
mod admin_pages;
#[path = "all/capacity.rs"]
mod capacity;
#[path = "all/center.rs"]
mod center;
#[path = "all/door.rs"]
mod door;
#[path = "all/house.rs"]
mod house;
#[path = "all/listening.rs"]
mod listening;
#[path = "all/metrics.rs"]
mod metrics;
#[path = "all/once.rs"]
mod once;
#[path = "all/pages.rs"]
mod pages;
#[path = "all/quality_pages.rs"]
mod quality_pages;
#[path = "all/reading.rs"]
mod reading;
#[path = "all/records_pages.rs"]
mod records_pages;
#[path = "all/reference_page.rs"]
mod reference_page;
#[path = "all/requests.rs"]
mod requests;
#[path = "all/run_page.rs"]
mod run_page;
#[path = "all/specimens.rs"]
mod specimens;
#[path = "all/tagged.rs"]
mod tagged;
#[path = "all/today.rs"]
mod today;
#[path = "all/workflow_page.rs"]
mod workflow_page;
