#include "serving/http_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include "serving/engine_for_tests.h"
#include "serving/http_client_for_tests.h"
#include "stores/faulty_files.h"

namespace coeval::serving {
namespace {

using testing::at;
using testing::Client;
using testing::event;
using testing::parsed;
using testing::Reply;
using testing::SmallEngine;

const std::string kQuestion = R"({"origin":"ATL","distance":1200})";

/// A server on a free port, on its own thread until stopped.
class RunningServer {
 public:
  explicit RunningServer(ServerOptions options = {}, Engine::Options engine = {},
                         std::unique_ptr<stores::EventLog> log = stores::make_memory_log())
      : small_(engine, std::move(log)), server_(*small_.engine, with_free_port(options)) {
    const Status bound = server_.bind();
    REQUIRE(bound.has_value());
    thread_ = std::thread([this] { result_ = server_.run(); });
  }
  ~RunningServer() { stop(); }

  std::uint16_t port() const { return server_.port(); }
  HttpServer& server() { return server_; }
  /// Safe to look into once stopped.
  SmallEngine& small() { return small_; }
  Status stop() {
    if (thread_.joinable()) {
      server_.stop();
      thread_.join();
    }
    return result_;
  }

 private:
  static ServerOptions with_free_port(ServerOptions options) {
    options.port = 0;
    options.grace_s = std::min(options.grace_s, 0.05);
    return options;
  }
  SmallEngine small_;
  HttpServer server_;
  std::thread thread_;
  Status result_;
};

TEST_CASE("an acknowledged event is seen by the next question on another connection") {
  RunningServer server;
  Client events(server.port()), questions(server.port());
  for (int i = 1; i <= 20; ++i) {
    const Reply taken =
        events.ask("POST", "/v1/events/flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40));
    REQUIRE(taken.status == 200);
    const Reply answer = questions.ask("POST", "/v1/predict/late?features=true", kQuestion);
    REQUIRE(answer.status == 200);
    CHECK(*at(at(parsed(answer.body), "features"), "origin.flights_3h").integer() == i);
  }
  CHECK(server.stop().has_value());
}

TEST_CASE("pipelined requests are answered in order on a connection that stays open") {
  RunningServer server({.max_pipelined = 7});
  Client client(server.port());
  std::string stream;
  constexpr int kCount = 500;
  for (int i = 0; i < kCount; ++i) {
    const std::string body = R"({"origin":"ATL","distance":)" + std::to_string(i) + "}";
    stream += Client::request("POST", "/v1/predict/late?features=true", body);
    if (i % 50 == 0) stream += Client::request("GET", "/nowhere", {});
  }
  REQUIRE(client.send(stream));
  for (int i = 0; i < kCount; ++i) {
    const auto reply = client.receive();
    REQUIRE(reply.has_value());
    REQUIRE(reply->status == 200);
    CHECK(*at(at(parsed(reply->body), "features"), "distance").integer() == i);
    if (i % 50 == 0) CHECK(client.receive()->status == 404);
  }
}

TEST_CASE("a request may come one byte at a time") {
  RunningServer server;
  Client client(server.port());
  for (const char byte : Client::request("POST", "/v1/predict/late", kQuestion)) {
    REQUIRE(client.send({&byte, 1}));
  }
  CHECK(client.receive()->status == 200);
  CHECK(client.ask("GET", "/v2/health/live").status == 200);
}

TEST_CASE("every address answers") {
  RunningServer server;
  Client client(server.port());
  CHECK(client.ask("GET", "/v2/health/ready").body == R"({"live":true,"ready":true})");
  CHECK(*at(parsed(client.ask("GET", "/v2").body), "name").string() == "coeval");
  CHECK(client.ask("GET", "/v2/").status == 200);
  const Reply models = client.ask("GET", "/v1/models");
  CHECK(*at((*at(parsed(models.body), "models").array())[0], "version").integer() == 3);
  const std::string id =
      *at(parsed(client.ask("POST", "/v1/predict/late", kQuestion).body), "prediction_id").string();
  CHECK(client.ask("GET", "/v1/predictions/" + id).status == 200);
  const Reply metrics = client.ask("GET", "/metrics");
  CHECK(metrics.has("text/plain"));
  CHECK(metrics.body.find(
            "coeval_requests_total{route=\"/v1/predict/{model}\",status=\"200\"} 1\n") !=
        std::string::npos);
  const Reply page = client.ask("GET", "/");
  CHECK(page.has("text/html"));
  CHECK(page.body.find("late") != std::string::npos);
  const Reply head = client.ask("HEAD", "/");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(client.ask("GET", "/v2/health/live").status ==
        200);  // nothing of a body was left in between
}

TEST_CASE("what cannot be answered says what, and what to do") {
  RunningServer server;
  Client client(server.port());
  const auto refused = [&](const std::string& method, const std::string& target,
                           const std::string& body, int status, Code code) {
    const Reply reply = client.ask(method, target, body);
    CHECK_MESSAGE(reply.status == status, reply.body);
    const data::Json json = parsed(reply.body);
    CHECK(*at(json, "code").string() == code_name(code));
    CHECK_FALSE(at(json, "error").string()->empty());
    CHECK_FALSE(at(json, "advice").string()->empty());
    return reply;
  };
  refused("POST", "/v1/predict/early", kQuestion, 404, Code::unknown_model);
  refused("POST", "/v1/events/trains", "{}", 404, Code::not_found);
  refused("GET", "/v1/nothing", {}, 404, Code::not_found);
  refused("GET", "/v1/predictions/x", {}, 404, Code::not_found);
  refused("POST", "/v1/predict/late?now=2001-06-01", kQuestion, 400, Code::bad_request);
  refused("POST", "/v1/predict/late?featurse=true", kQuestion, 400, Code::unknown_key);
  refused("POST", "/v1/predict/late", R"({"origin":"ATL"})", 400, Code::missing_value);
  CHECK(
      refused("PUT", "/v1/models", {}, 405, Code::method_not_allowed).has("Allow: GET, HEAD\r\n"));
}

TEST_CASE("a question that breaks a rule of its columns is 422") {
  RunningServer server;
  Client client(server.port());
  const Reply refused =
      client.ask("POST", "/v1/predict/late", R"({"origin":"ATL","distance":9999})");
  CHECK(refused.status == 422);
  CHECK(*at(parsed(refused.body), "code").string() == code_name(Code::bad_row));
}

TEST_CASE("the status page shows commands for the address that it was asked at") {
  RunningServer server;
  Client client(server.port());
  const auto page = [&](const std::string& head) {
    REQUIRE(client.send(head));
    const auto reply = client.receive();
    REQUIRE(reply.has_value());
    return reply->body;
  };
  CHECK(page("GET / HTTP/1.1\r\nHost: models.example:8443\r\n\r\n")
            .find("http://models.example:8443/v1/predict/late") != std::string::npos);
  const std::string own = "http://127.0.0.1:" + std::to_string(server.port()) + "/v1/predict/late";
  CHECK(page("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").find(own) != std::string::npos);
  CHECK(page("GET / HTTP/1.1\r\nHost: x;reboot\r\n\r\n").find(own) != std::string::npos);
  CHECK(page("GET / HTTP/1.1\r\nHost: x\r\n\r\n").find("PORT") == std::string::npos);
}

TEST_CASE("a body over the limit is refused before it is sent, and the client can read why") {
  RunningServer server;
  Client client(server.port());
  REQUIRE(client.send(
      "POST /v1/events/flights HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n"));
  const auto reply = client.receive();  // not one byte of the body was sent
  REQUIRE(reply.has_value());
  CHECK(reply->status == 413);
  CHECK(reply->has("Connection: close\r\n"));
  CHECK(*at(parsed(reply->body), "code").string() == code_name(Code::body_too_large));
}

TEST_CASE("a client that sends all of 100 MB before it reads still gets its answer") {
  RunningServer server;
  Client client(server.port());
  REQUIRE(client.send(
      "POST /v1/events/flights HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n"));
  const std::string megabyte(1u << 20, ' ');
  for (int i = 0; i < 100; ++i) REQUIRE(client.send(megabyte));
  const auto reply = client.receive();
  REQUIRE(reply.has_value());
  CHECK(reply->status == 413);
  CHECK(client.ended());
}

TEST_CASE("a chunked body is taken, and refused as soon as it passes the limit") {
  RunningServer server({.max_body_bytes = 1000});
  Client client(server.port());
  const std::string head =
      "POST /v1/predict/late HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  REQUIRE(
      client.send(head + "10\r\n{\"origin\":\"ATL\",\r\n10\r\n\"distance\":1200}\r\n0\r\n\r\n"));
  CHECK(client.receive()->status == 200);
  REQUIRE(client.send(head + "3e7\r\n" + std::string(999, ' ') + "\r\n2\r\n"));
  CHECK(client.receive()->status == 413);
  CHECK(client.ended());
}

TEST_CASE("a malformed request is answered once and the connection closed") {
  RunningServer server;
  for (const std::string bytes :
       {"NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Client client(server.port());
    // What follows must not be taken for a request.
    REQUIRE(client.send(bytes + Client::request("GET", "/v2/health/live", {})));
    const auto reply = client.receive();
    REQUIRE(reply.has_value());
    CHECK(reply->status == 400);
    CHECK(client.ended());
  }
}

TEST_CASE("good requests before a malformed one are answered first") {
  RunningServer server;
  Client client(server.port());
  REQUIRE(client.send(Client::request("GET", "/v2/health/live", {}) + "oops\r\n\r\n"));
  CHECK(client.receive()->status == 200);
  CHECK(client.receive()->status == 400);
  CHECK(client.ended());
}

TEST_CASE("HTTP/1.0 is closed after the answer unless the client asks otherwise") {
  RunningServer server;
  Client once(server.port()), kept(server.port());
  REQUIRE(once.send("GET /v2/health/live HTTP/1.0\r\n\r\n"));
  CHECK(once.receive()->has("HTTP/1.0 200"));
  CHECK(once.ended());
  for (int i = 0; i < 2; ++i) {
    REQUIRE(kept.send("GET /v2/health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK(kept.receive()->has("Connection: keep-alive\r\n"));
  }
}

TEST_CASE("a client that has sent everything and closed its side is still answered") {
  RunningServer server;
  Client client(server.port());
  REQUIRE(client.send(Client::request("POST", "/v1/predict/late", kQuestion)));
  client.finish_sending();
  CHECK(client.receive()->status == 200);
  CHECK(client.ended());
}

TEST_CASE("a client may wait for 100 Continue") {
  RunningServer server;
  Client client(server.port());
  REQUIRE(client.send(
      "POST /v1/predict/late HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(kQuestion.size()) + "\r\n\r\n"));
  CHECK(client.receive()->status == 100);
  REQUIRE(client.send(kQuestion));
  CHECK(client.receive()->status == 200);
}

TEST_CASE("beyond the limit of connections a client is told to come back") {
  RunningServer server({.max_connections = 2});
  Client first(server.port()), second(server.port());
  CHECK(first.ask("GET", "/v2/health/live").status == 200);
  CHECK(second.ask("GET", "/v2/health/live").status == 200);
  Client third(server.port());
  const auto reply = third.receive();
  REQUIRE(reply.has_value());
  CHECK(reply->status == 503);
  CHECK(reply->has("Retry-After: 1\r\n"));
  CHECK(third.ended());
  CHECK(first.ask("GET", "/v2/health/live").status == 200);
}

TEST_CASE("slow headers and bodies are given up, idle connections closed") {
  RunningServer server({.header_timeout_s = 0.05, .body_timeout_s = 0.05, .idle_timeout_s = 0.1});
  Client header(server.port()), body(server.port()), idle(server.port());
  REQUIRE(header.send("GET / HT"));
  REQUIRE(body.send("POST /v1/predict/late HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"));
  CHECK(header.receive()->status == 408);
  CHECK(body.receive()->status == 408);
  CHECK(idle.ended());
}

TEST_CASE("bytes that trickle in do not put off the end of a header") {
  RunningServer server({.header_timeout_s = 0.1});
  Client client(server.port());
  REQUIRE(client.send("GET / HTTP/1.1\r\n"));
  // Sends on and on: without the limit this would never be answered.
  std::atomic<bool> answered = false;
  std::thread sender([&] {
    while (!answered && client.send("a: b\r\n")) std::this_thread::yield();
  });
  const auto reply = client.receive();
  answered = true;
  sender.join();
  REQUIRE(reply.has_value());
  CHECK((reply->status == 408 || reply->status == 431));
}

TEST_CASE("a peer that does not read its answers is not read from, and loses none") {
  RunningServer server;
  Client client(server.port());
  const std::string request = Client::request("GET", "/metrics", {});
  constexpr int kCount = 4000;
  std::thread sender([&] {
    for (int i = 0; i < kCount; ++i) {
      if (!client.send(request)) return;
    }
  });
  int answered = 0;
  while (answered < kCount) {
    const auto reply = client.receive();
    if (!reply || reply->status != 200) break;
    ++answered;
  }
  sender.join();
  CHECK(answered == kCount);
}

TEST_CASE("with a full disk events are 507, predictions go on, and all resumes with room") {
  testing::TemporaryFolder folder;
  auto files = std::make_shared<stores::FaultyFiles>();
  auto log = stores::open_log(folder.path(), {.files = files});
  REQUIRE(log.has_value());
  RunningServer server({}, {}, std::move(*log));
  Client client(server.port());
  const auto set_room = [&](std::uint64_t bytes) {
    std::promise<void> done;
    server.server().post([&] {
      files->plan().room_bytes = bytes;
      done.set_value();
    });
    done.get_future().wait();
  };
  const std::string row = event("ATL", "2001-06-01T11:00:00Z", 700, 40);
  CHECK(client.ask("POST", "/v1/events/flights", row).status == 200);
  set_room(0);
  const Reply full = client.ask("POST", "/v1/events/flights", row);
  CHECK(full.status == 507);
  CHECK(full.has("Retry-After"));
  CHECK(*at(parsed(full.body), "code").string() == code_name(Code::disk_full));
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    const Reply held = client.ask("POST", "/v1/predict/late", kQuestion);
    REQUIRE(held.status == 200);
    ids.push_back(*at(parsed(held.body), "prediction_id").string());
    CHECK(client.ask("GET", "/v1/predictions/" + ids.back()).status == 404);  // held in memory
  }
  CHECK(client.ask("POST", "/v1/events/flights", row).status == 507);
  CHECK(client.ask("GET", "/v2/health/ready").status == 503);
  CHECK(client.ask("GET", "/v2/health/live").status == 200);
  set_room(stores::FaultPlan::kNever);
  CHECK(client.ask("POST", "/v1/predict/late", kQuestion).status == 200);
  for (const std::string& id : ids) CHECK(client.ask("GET", "/v1/predictions/" + id).status == 200);
  CHECK(client.ask("POST", "/v1/events/flights", row).status == 200);
  CHECK(client.ask("GET", "/v2/health/ready").status == 200);
}

TEST_CASE("stopping answers everything that was admitted and then ends") {
  RunningServer server;
  constexpr int kClients = 8;
  std::latch under_load(kClients);
  std::atomic<int> asked = 0, answered = 0, told = 0, broken = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      Client client(server.port());
      for (int n = 0;; ++n) {
        if (n == 20) under_load.count_down();
        if (!client.send(Client::request("POST", "/v1/predict/late", kQuestion))) break;
        ++asked;
        const auto reply = client.receive();
        if (!reply || reply->status != 200) {
          ++broken;
          break;
        }
        ++answered;
        if (reply->has("Connection: close")) {
          ++told;
          break;
        }
      }
    });
  }
  under_load.wait();
  CHECK(server.stop().has_value());
  for (std::thread& client : clients) client.join();
  CHECK(broken == 0);
  CHECK(told == kClients);
  CHECK(asked == answered);
  CHECK(server.small().log_view->next_position() == Position{static_cast<std::uint64_t>(answered)});
}

TEST_CASE("while stopping, requests that have come are answered, and readiness says no") {
  RunningServer server;
  Client pipeline(server.port()), probe(server.port());
  CHECK(probe.ask("GET", "/v2/health/ready").status == 200);
  std::string stream;
  for (int i = 0; i < 300; ++i) stream += Client::request("POST", "/v1/predict/late", kQuestion);
  // Between two rounds: all of it has come, none of it was read, when stopping begins.
  server.server().post([&] {
    static_cast<void>(pipeline.send(stream) &&
                      probe.send(Client::request("GET", "/v2/health/ready", {})));
    server.server().stop();
  });
  for (int i = 0; i < 300; ++i) {
    const auto reply = pipeline.receive();
    REQUIRE(reply.has_value());
    CHECK(reply->status == 200);
    CHECK(reply->has("Connection: close") == (i == 299));
  }
  CHECK(pipeline.ended());
  CHECK(probe.receive()->status == 503);
  CHECK(server.stop().has_value());
}

TEST_CASE("a request that had begun when stopping began may still finish") {
  RunningServer server({.drain_s = 10, .grace_s = 0});
  Client client(server.port());
  const std::string request = Client::request("POST", "/v1/predict/late", kQuestion);
  REQUIRE(client.send(request.substr(0, 20)));
  {
    Client idle(server.port());
    CHECK(idle.ask("GET", "/v2/health/live").status == 200);  // by now the first bytes were read
    server.server().stop();
    CHECK(idle.ended());  // by now the grace is over
  }
  REQUIRE(client.send(request.substr(20)));
  const auto reply = client.receive();
  REQUIRE(reply.has_value());
  CHECK(reply->status == 200);
  CHECK(server.stop().has_value());
}

TEST_CASE("a model is swapped under load without a lost or mixed answer") {
  RunningServer server;
  std::atomic<bool> done = false;
  std::atomic<int> answers = 0, bad = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      Client client(server.port());
      while (!done) {
        const data::Json json = parsed(client.ask("POST", "/v1/predict/late", kQuestion).body);
        const std::int64_t version = *at(json, "version").integer();
        const double expected = version % 2 == 0 ? 0.88 : 0.38;  // logistic(2), logistic(-0.5)
        if (std::abs(*at(json, "score").real() - expected) > 0.01) ++bad;
        ++answers;
      }
    });
  }
  for (int version = 4; version < 60; ++version) {
    std::promise<void> swapped;
    server.server().post([&] {
      const LoadedModel next = testing::small_model(*server.small().project, version % 10,
                                                    version % 2 == 0 ? 3.0f : 0.5f);
      server.small().engine->set_models({{"late", {next.served, version}}});
      swapped.set_value();
    });
    swapped.get_future().wait();
    const int before = answers;
    while (answers < before + 4) std::this_thread::yield();
  }
  done = true;
  for (std::thread& client : clients) client.join();
  CHECK(bad == 0);
}

TEST_CASE("an address that is in use is said") {
  RunningServer server;
  SmallEngine small;
  HttpServer second(*small.engine, {.port = server.port()});
  const Status bound = second.bind();
  REQUIRE_FALSE(bound.has_value());
  CHECK(bound.error().message.find(std::to_string(server.port())) != std::string::npos);
}

}  // namespace
}  // namespace coeval::serving
