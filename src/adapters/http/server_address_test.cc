#include <doctest/doctest.h>

#include "adapters/http/http_client.h"

namespace coeval::adapters {

namespace {

ServerAddress nobody() {
  ServerAddress address;
  address.host = "127.0.0.1";
  address.port = "1";
  return address;
}

HttpClientOptions with_token(const std::string& token) {
  HttpClientOptions options;
  options.authorization = token;
  return options;
}

HttpClientOptions trusting(const std::string& certificates) {
  HttpClientOptions options;
  options.certificates = certificates;
  return options;
}

}  // namespace

TEST_CASE("an address is scheme, host, port and path") {
  const auto plain = parse_address("http://127.0.0.1:5000");
  REQUIRE(plain);
  CHECK(plain->host == "127.0.0.1");
  CHECK(plain->port == "5000");
  CHECK(plain->path.empty());
  CHECK_FALSE(plain->secure);
  const auto secure = parse_address("https://mlflow.example/tracking/");
  REQUIRE(secure);
  CHECK(secure->secure);
  CHECK(secure->port == "443");
  CHECK(secure->path == "/tracking");
  CHECK(secure->text() == "https://mlflow.example/tracking");
  const auto ipv6 = parse_address("http://[::1]:8080/a/b");
  REQUIRE(ipv6);
  CHECK(ipv6->host == "::1");
  CHECK(ipv6->text() == "http://[::1]:8080/a/b");
}

TEST_CASE("what is no address is refused") {
  for (const char* bad : {"", "localhost:5000", "ftp://host", "http://", "http://:80",
                          "http://host:", "http://host:0", "http://host:65536", "http://host:8o",
                          "http://[::1", "http://[::1]x", "http://a b", "http://host/?x=1",
                          "http://host/#x", "http://host/\n", "http://h\x80st"}) {
    CAPTURE(bad);
    const auto parsed = parse_address(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::usage);
  }
}

TEST_CASE("a password in an address is refused and not repeated") {
  const auto parsed = parse_address("https://anna:s3cret@host");
  REQUIRE_FALSE(parsed);
  CHECK(one_line(parsed.error()).find("s3cret") == std::string::npos);
}

TEST_CASE("a token that would end its line is refused and not repeated") {
  const auto client = open_http_client(nobody(), with_token("Bearer s3cret\r\nX: y"));
  REQUIRE_FALSE(client);
  CHECK(one_line(client.error()).find("s3cret") == std::string::npos);
}

TEST_CASE("authorities that are not there or no certificates are named") {
  ServerAddress address = nobody();
  address.secure = true;
  const auto none = open_http_client(address, trusting("/nonexistent.pem"));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Code::no_such_file);
  const auto odd = open_http_client(address, trusting("/dev/null"));
  REQUIRE_FALSE(odd);
  CHECK(odd.error().code == Code::bad_file);
}

TEST_CASE("nobody at an address is told with the address") {
  const auto client = open_http_client(nobody(), {});
  REQUIRE(client);
  const auto answer = (*client)->send({"GET", "/", "", ""});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::unavailable);
  CHECK(answer.error().message.find("127.0.0.1:1") != std::string::npos);
}

TEST_CASE("targets are percent-encoded") {
  CHECK(percent_encoded("a b/ü'") == "a%20b%2F%C3%BC%27");
  CHECK(percent_encoded_path("1/ä b.txt") == "1/%C3%A4%20b.txt");
}

}  // namespace coeval::adapters
