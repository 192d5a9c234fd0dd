#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <thread>
#include <vector>

#include "serving/engine_for_tests.h"
#include "serving/http_client_for_tests.h"
#include "serving/http_server.h"

// What the fields of a request say about its body of events.
namespace coeval::serving {
namespace {

using testing::at;
using testing::Client;
using testing::event;
using testing::parsed;
using testing::Reply;
using testing::SmallEngine;

const std::string kQuestion = R"({"origin":"ATL","distance":1200})";
const std::string kRow = event("ATL", "2001-06-01T11:00:00Z", 700, 40);

class EventsServer {
 public:
  explicit EventsServer(std::uint64_t max_body_bytes = 16u << 20)
      : server_(*small_.engine, {.port = 0, .max_body_bytes = max_body_bytes, .grace_s = 0.05}) {
    REQUIRE(server_.bind().has_value());
    thread_ = std::thread([this] { static_cast<void>(server_.run()); });
  }
  ~EventsServer() { stop(); }
  void stop() {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_.port(); }
  /// After stop().
  std::uint64_t log_end() const { return small_.log_view->next_position().value; }

 private:
  SmallEngine small_;
  HttpServer server_;
  std::thread thread_;
};

std::string request(const std::string& fields, const std::string& body,
                    const std::string& target = "/v1/events/flights") {
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Reply ask(Client& client, const std::string& text) {
  REQUIRE(client.send(text));
  auto reply = client.receive();
  REQUIRE(reply.has_value());
  return std::move(*reply);
}

std::string error_code(const Reply& reply) { return *at(parsed(reply.body), "code").string(); }

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST_CASE("a key may be in quotes or not; a repeated request is told at once or by 409") {
  EventsServer server;
  Client client(server.port());
  const std::string quoted = request("Idempotency-Key: \"a-1\"\r\n", kRow);
  // Both in one round: the second comes before the first is on disk.
  REQUIRE(client.send(quoted + quoted));
  const auto first = client.receive(), early = client.receive();
  REQUIRE((first && early));
  CHECK(first->status == 200);
  CHECK(early->status == 409);
  CHECK(early->has("409 Conflict\r\n"));
  CHECK(early->has("Retry-After: 1\r\n"));
  CHECK(error_code(*early) == code_name(Code::request_under_way));
  CHECK(ask(client, quoted).body == first->body);
  CHECK(ask(client, request("idempotency-key: a-1\r\n", kRow)).body == first->body);
  const Reply reused = ask(client, request("Idempotency-Key: a-1\r\n", kRow + "\n" + kRow));
  CHECK(reused.status == 422);
  CHECK(error_code(reused) == code_name(Code::key_reused));
  // A question has no use for a key.
  CHECK(ask(client, request("Idempotency-Key: a-1\r\n", kQuestion, "/v1/predict/late")).status ==
        200);
  server.stop();
  CHECK(server.log_end() == 3);  // request, event, prediction
}

TEST_CASE("a key that is malformed, or given twice, is refused") {
  EventsServer server;
  const auto refused = [&](const std::string& fields) {
    INFO(fields);
    Client client(server.port());
    const Reply reply = ask(client, request(fields, kRow));
    CHECK(reply.status == 400);
    CHECK(error_code(reply) == code_name(Code::bad_request));
    CHECK(reply.body.find("Idempotency-Key") != std::string::npos);
  };
  for (const std::string& value :
       {std::string(), std::string("\"\""), std::string("\""), std::string("\"a"),
        std::string("a\""), std::string("a b"), std::string("\"a\"b\""), std::string("\"a\\b\""),
        std::string("\"a\\\""), std::string("caf\xC3\xA9"), std::string("\"a\", \"b\""),
        std::string(256, 'k'), "\"" + std::string(256, 'k') + "\""})
    refused("Idempotency-Key: " + value + "\r\n");
  refused("Idempotency-Key: a\r\nIdempotency-Key: a\r\n");
  Client client(server.port());
  CHECK(ask(client, request("Idempotency-Key: " + std::string(255, 'k') + "\r\n", kRow)).status ==
        200);
  CHECK(ask(client, request(R"(Idempotency-Key: "a\"b\\c d")"
                            "\r\n",
                            kRow))
            .status == 200);
  server.stop();
  CHECK(server.log_end() == 4);
}

TEST_CASE("gzip and zstd bodies are taken as what they hold") {
  EventsServer server;
  Client client(server.port());
  const std::string rows = "[" + kRow + "," + kRow + "]";
  for (const auto& [fields, body] :
       {std::pair{"Content-Encoding: gzip\r\n", gzip(rows)},
        {"Content-Encoding: zstd\r\n", zstd(rows)},
        {"Content-Encoding: identity\r\n", rows},
        {"Content-Encoding: gzip\r\nContent-Type: application/x-ndjson\r\n",
         gzip(kRow + "\n" + kRow + "\n")}}) {
    INFO(fields);
    const Reply reply = ask(client, request(fields, body));
    CHECK(reply.status == 200);
    CHECK(*at(parsed(reply.body), "accepted").integer() == 2);
  }
  CHECK(ask(client, request("Content-Encoding: gzip\r\n", gzip(kQuestion), "/v1/predict/late"))
            .status == 200);
  // The key is of what was sent, however it was packed.
  const std::string key = "Idempotency-Key: k\r\n";
  const Reply first = ask(client, request(key, rows));
  CHECK(ask(client, request(key + "Content-Encoding: zstd\r\n", zstd(rows))).body == first.body);
}

TEST_CASE("other codings are 415 with those that there are; bombs are 413; damage is 400") {
  EventsServer server(64u << 10);
  Client client(server.port());
  for (const std::string target : {"/v1/predict/late", "/v1/events/flights"}) {
    for (const std::string coding : {"br", "deflate", "gzip, zstd", "gzip, identity"}) {
      const Reply refused =
          ask(client, request("Content-Encoding: " + coding + "\r\n", kRow, target));
      CHECK(refused.status == 415);
      CHECK(refused.has("Accept-Encoding: gzip, zstd\r\n"));
      CHECK(error_code(refused) == code_name(Code::unsupported_encoding));
      CHECK(at(parsed(refused.body), "error").string()->find("'" + coding + "'") !=
            std::string::npos);
    }
  }
  const std::string zeros(50u << 20, ' ');
  CHECK(ask(client, request("Content-Encoding: gzip\r\n", gzip(zeros))).status == 413);
  const Reply bomb = ask(client, request("Content-Encoding: zstd\r\n", zstd(zeros)));
  CHECK(bomb.status == 413);
  CHECK(error_code(bomb) == code_name(Code::body_too_large));
  CHECK(ask(client, request("Content-Encoding: gzip\r\n", kRow)).status == 400);
  CHECK(ask(client, request("", kRow)).status == 200);
  server.stop();
  CHECK(server.log_end() == 1);
}

TEST_CASE("a body that says to be Arrow or Parquet is 415 with what to do") {
  EventsServer server;
  Client client(server.port());
  for (const std::string type :
       {"application/vnd.apache.arrow.stream", "Application/Vnd.Apache.Arrow.File; x=y",
        "application/vnd.apache.parquet"}) {
    const Reply refused = ask(client, request("Content-Type: " + type + "\r\n", kRow));
    CHECK(refused.status == 415);
    CHECK_FALSE(refused.has("Accept-Encoding"));
    CHECK(at(parsed(refused.body), "error").string()->find("Content-Type") != std::string::npos);
    CHECK(at(parsed(refused.body), "advice").string()->find("coeval ingest") != std::string::npos);
  }
  for (const std::string type :
       {"application/json", "application/x-www-form-urlencoded", "text/plain"})
    CHECK(ask(client, request("Content-Type: " + type + "\r\n", kRow)).status == 200);
}

TEST_CASE("lines that say to be lines are lines, the first of them too") {
  EventsServer server;
  Client client(server.port());
  const std::string type = "Content-Type: application/x-ndjson; charset=utf-8\r\n";
  const auto taken = [&](const std::string& body) {
    const Reply reply = ask(client, request(type, body));
    CHECK(reply.status == 200);
    const auto json = parsed(reply.body);
    return std::pair(*at(json, "accepted").integer(), *at(json, "quarantined").integer());
  };
  CHECK(taken("{bad\n" + kRow + "\n") == std::pair<std::int64_t, std::int64_t>(1, 1));
  CHECK(taken(kRow) == std::pair<std::int64_t, std::int64_t>(1, 0));
  CHECK(taken("\n\n") == std::pair<std::int64_t, std::int64_t>(0, 0));
  CHECK(taken("7\n[]\n" + kRow) == std::pair<std::int64_t, std::int64_t>(1, 2));
  CHECK(ask(client, request("", "")).status == 400);
  CHECK(ask(client, request("", " \n ")).status == 400);
}

}  // namespace
}  // namespace coeval::serving
