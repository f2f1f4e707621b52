//! The API's page: what it shows of the document, in both languages, and to whom.

use crate::house::House;

#[tokio::test]
async fn every_operation_is_there_with_its_members_and_something_to_paste() {
    let house = House::open(&["auditor"]).await;
    let all = house.get("/api").await.check(200);
    for wanted in ["<h1>API", "href=\"/api/openapi.json\"", "href=\"/api/order-lines\"", "/api/v1/runs/{id}/cancel"] {
        assert!(all.text.contains(wanted), "{wanted} is missing");
    }
    let runs = house.get("/api/runs").await.check(200);
    for wanted in ["id=\"cancelRun\"", "id=\"type-RunDetail\"", "/api/v1/runs/$ID/cancel", "problem+json"] {
        assert!(runs.text.contains(wanted), "{wanted} is missing");
    }
    let requests = house.get("/api/requests").await.check(200);
    assert!(requests.text.contains("<code>receive</code>"), "a form of the request is missing");
    for (path, page) in [("/api", &all), ("/api/runs", &runs), ("/api/requests", &requests)] {
        assert!(page.text.len() <= 150 << 10, "{path} has {} bytes", page.text.len());
    }
    house.get("/api/nothing").await.check(404);
    house.close().await;
}

#[tokio::test]
async fn its_headings_are_in_the_readers_language_and_every_page_leads_to_it() {
    let house = House::open(&["operator"]).await;
    let japanese = house.ask("GET", "/api/runs", "Accept-Language: ja\r\n", "").await.check(200);
    for wanted in ["<html lang=\"ja\"", "<h1>実行</h1>", ">応答<", ">パラメータ<"] {
        assert!(japanese.text.contains(wanted), "{wanted} is missing");
    }
    let runs = house.get("/runs").await.check(200);
    assert!(runs.text.contains("<a href=\"/api\">"), "the foot does not lead there");
    house.close().await;
}

#[tokio::test]
async fn the_document_is_nobodys_secret_and_the_page_is_for_people_of_the_site() {
    let house = House::open_for(std::sync::Arc::new(|_| None)).await;
    let document = house.get("/api/openapi.json").await.check(200);
    assert_eq!(document.json()["openapi"], "3.1.0");
    house.get("/api").await.check(403);
    house.close().await;
}
