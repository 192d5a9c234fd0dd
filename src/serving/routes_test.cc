#include "serving/routes.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "serving/http_message.h"
#include "serving/status_page.h"

namespace coeval::serving {
namespace {

Result<RouteMatch> match(std::string_view method, std::string_view address,
                         std::string* allow = nullptr) {
  std::string ignored;
  const auto target = parse_target(address);
  REQUIRE(target.has_value());
  return match_route(method, *target, allow != nullptr ? allow : &ignored);
}

TEST_CASE("an address is matched with its parameter decoded") {
  CHECK(match("POST", "/v1/predict/late")->parameter == "late");
  CHECK(match("POST", "/v1/predict/l%61te.v-2_3?features=true")->parameter == "late.v-2_3");
  CHECK(match("POST", "http://host:80/v1/events/flights")->route->id == RouteId::events);
  CHECK(match("GET", "/v2/")->route->id == RouteId::v2_metadata);
  CHECK(match("HEAD", "/v1/models")->route->id == RouteId::models);
  CHECK(match("GET", "http://host")->route->id == RouteId::status_page);
}

TEST_CASE("what is not a name of a model never reaches a model") {
  for (const char* address :
       {"/v1/predict/", "/v1/predict/a/b", "/v1/predict/a%2fb", "/v1/predict/%00",
        "/v1/predict/a%zz", "/v1/predict/a%4", "/v1/predict/..%2f", "/v1/predict/ä", "/v1/nothing",
        "/v1/models/", "//v1/models"}) {
    CHECK_MESSAGE(match("POST", address).error().code == Code::not_found, address);
  }
}

TEST_CASE("a wrong method is told which are right") {
  std::string allow;
  CHECK(match("GET", "/v1/predict/late", &allow).error().code == Code::method_not_allowed);
  CHECK(allow == "POST");
  CHECK(match("DELETE", "/v1/models", &allow).error().code == Code::method_not_allowed);
  CHECK(allow == "GET, HEAD");
}

TEST_CASE("query parameters are decoded, and unknown ones refused") {
  const auto target = parse_target("/v1/events/flights?now=2001-06-01T00%3A00%3A00+01:00&&x");
  REQUIRE(target.has_value());
  CHECK(*target->find("now") == "2001-06-01T00:00:00+01:00");
  CHECK(target->find("x")->empty());
  CHECK(match("POST", "/v1/events/flights?nwo=1").error().code == Code::unknown_key);
  CHECK(parse_target("/?a=%g1").error().code == Code::bad_request);
  CHECK(parse_target("*").error().code == Code::bad_request);
}

TEST_CASE("every route is described in docs/openapi.yaml, and nothing else is") {
  std::ifstream file(std::string(COEVAL_SOURCE_DIR) + "/docs/openapi.yaml");
  REQUIRE(file.good());
  std::vector<std::string> described;
  std::string line, path;
  bool in_paths = false;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != ' ' && line[0] != '#') in_paths = line == "paths:";
    if (!in_paths) continue;
    if (line.starts_with("  /")) path = line.substr(2, line.rfind(':') - 2);
    if (line == "    get:") described.push_back("GET " + path);
    if (line == "    post:") described.push_back("POST " + path);
  }
  std::vector<std::string> served;
  for (const Route& route : routes())
    served.push_back(std::string(route.method) + " " + std::string(route.path));
  CHECK(described == served);
}

TEST_CASE("dates of answers are as RFC 9110 writes them") {
  CHECK(http_date(784'111'777'000'000) ==
        "Sun, 06 Nov 1994 08:49:37 GMT");  // the RFC's own example
}

TEST_CASE("the status page shows names as text, never as markup") {
  Overview overview;
  overview.project = "<script>alert('x')</script>&";
  const std::string page = status_page(overview, "localhost:8080");
  CHECK(page.find("<script>") == std::string::npos);
  CHECK(page.find("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;") != std::string::npos);
}

TEST_CASE("the status page names what is not served, with the reason") {
  Overview overview;
  overview.absent = {{"late", "no version of model 'late' is promoted; coeval promote late"}};
  const std::string page = status_page(overview, "localhost:8080");
  CHECK(page.find("coeval promote late") != std::string::npos);
  CHECK(page.find("Ask one") == std::string::npos);
  CHECK(status_page(Overview{}, "localhost:8080").find("The definition has none.") !=
        std::string::npos);
}

}  // namespace
}  // namespace coeval::serving
