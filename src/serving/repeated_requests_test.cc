#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "serving/engine_for_tests.h"
#include "stores/faulty_files.h"

// Requests with an Idempotency-Key, by way of the engine.
namespace coeval::serving {
namespace {

using testing::at;
using testing::event;
using testing::parsed;
using testing::SmallEngine;
using testing::TemporaryFolder;

const std::string kRows = "[" + event("ATL", "2001-06-01T10:00:00Z", 700, 40) + "," +
                          event("atl", "2001-06-01T10:00:00Z", 700, 40) + "," +
                          event("JFK", "2001-06-01T11:00:00Z", 900, -5) + "]";
const std::string kBadRow = event("ATL", "2001-06-01T10:00:00Z", -1, 40);

struct OpenedLog {
  std::unique_ptr<stores::EventLog> log;
  RequestKeys keys;
};

OpenedLog open(const std::string& folder, std::shared_ptr<stores::FileLayer> files = nullptr) {
  OpenedLog opened;
  stores::LogOptions options;
  options.files = std::move(files);
  options.visit_request = [&](const stores::Record& record) { opened.keys.add(record); };
  auto log = stores::open_log(folder, options);
  REQUIRE(log.has_value());
  opened.log = std::move(*log);
  return opened;
}

/// An engine over a log on disk that knows the keys in it.
struct KeyedEngine : SmallEngine {
  explicit KeyedEngine(OpenedLog opened) : SmallEngine({}, std::move(opened.log)) {
    engine->set_keys(std::move(opened.keys));
  }
  Answer send(const std::string& key, const std::string& body) {
    return engine->events("flights", body, {}, {.key = key});
  }
  std::uint64_t end() const { return log_view->next_position().value; }
};

int events_of(const stores::EventLog& log) {
  int events = 0;
  REQUIRE(log.read(Position{0}, [&](const stores::Record& record) {
    events += record.kind == stores::RecordKind::event ? 1 : 0;
    return true;
  }));
  return events;
}

TEST_CASE("the same request again gets the same answer, and nothing is appended") {
  const TemporaryFolder folder;
  KeyedEngine keyed(open(folder.path()));
  const Answer first = keyed.send("k1", kRows);
  CHECK(first.status == 200);
  CHECK(*at(parsed(first.body), "accepted").integer() == 2);
  CHECK(*at(parsed(first.body), "quarantined").integer() == 1);
  CHECK(*at(parsed(first.body), "last_position").integer() == 2);  // behind the request's record
  REQUIRE(keyed.engine->commit());
  for (int i = 0; i < 3; ++i) {
    const Answer again = keyed.send("k1", kRows);
    CHECK(again.status == first.status);
    CHECK(again.body == first.body);
  }
  CHECK(keyed.end() == 3);
  CHECK(keyed.engine->overview().views[0].events == 2);
  CHECK_FALSE(keyed.engine->has_uncommitted());
  const std::string metrics = keyed.engine->metrics().body;
  CHECK(metrics.find("coeval_requests_repeated_total 3\n") != std::string::npos);
  CHECK(metrics.find("coeval_events_accepted_total{source=\"flights\"} 2\n") != std::string::npos);
  // Another key is another request, and so is none.
  CHECK(*at(parsed(keyed.send("k2", kRows).body), "last_position").integer() == 5);
  CHECK(*at(parsed(keyed.send("", kRows).body), "last_position").integer() == 7);
}

TEST_CASE("a key with another body is refused, and one that is not on disk yet must wait") {
  const TemporaryFolder folder;
  KeyedEngine keyed(open(folder.path()));
  REQUIRE(keyed.send("k", kRows).status == 200);
  const Answer early = keyed.send("k", kRows);
  CHECK(early.status == 409);
  CHECK(*at(parsed(early.body), "code").string() == code_name(Code::request_under_way));
  REQUIRE(keyed.engine->commit());
  CHECK(keyed.send("k", kRows).status == 200);
  const Answer other = keyed.send("k", kRows + " ");
  CHECK(other.status == 422);
  CHECK(*at(parsed(other.body), "code").string() == code_name(Code::key_reused));
  CHECK(keyed.end() == 3);
}

TEST_CASE("requests without a good row are remembered with their answer too") {
  const TemporaryFolder folder;
  KeyedEngine keyed(open(folder.path()));
  for (const auto& [key, body, status] : {std::tuple{"one", kBadRow, 422},
                                          {"many", "[" + kBadRow + "," + kBadRow + "]", 200},
                                          {"none", std::string("[]"), 200}}) {
    INFO(key);
    const Answer first = keyed.send(key, body);
    CHECK(first.status == status);
    CHECK(at(parsed(first.body), "last_position").is_null());
    REQUIRE(keyed.engine->commit());
    const std::uint64_t end = keyed.end();
    const Answer again = keyed.send(key, body);
    CHECK(again.status == status);
    CHECK(again.body == first.body);
    CHECK(keyed.end() == end);
  }
  // Each request's rows once, however often it was sent.
  CHECK(quality::read_quarantine(keyed.folder.path(), "flights")->size() == 3);
  // A body that is no JSON took nothing, and its key is free.
  CHECK(keyed.send("free", "[").status == 400);
  CHECK(keyed.send("free", kRows).status == 200);
}

TEST_CASE("keys outlive a restart, with their answers") {
  const TemporaryFolder folder;
  Answer first, refused;
  {
    KeyedEngine keyed(open(folder.path()));
    first = keyed.send("k", kRows);
    refused = keyed.send("bad", kBadRow);
    REQUIRE(keyed.engine->sync());
  }
  KeyedEngine keyed(open(folder.path()));
  CHECK(keyed.send("k", kRows).body == first.body);
  CHECK(keyed.send("bad", kBadRow).body == refused.body);
  CHECK(keyed.send("k", "[]").status == 422);
  CHECK(keyed.end() == 4);
  // After a day, another request may have the key.
  keyed.clock->set(testing::kNoon + kDayUs + 1);
  CHECK(*at(parsed(keyed.send("k", "[]").body), "accepted").integer() == 0);
  CHECK(keyed.end() == 5);
}

// The server dies while the request is being written, after any number of its bytes: what is on
// disk then is copied, and a new server is started over the copy.
TEST_CASE("killed anywhere within a request, the same request again is taken once") {
  for (std::uint64_t room = 0;; room += 3) {
    INFO(room);
    const TemporaryFolder folder, crashed;
    const auto files = std::make_shared<stores::FaultyFiles>();
    bool durable = false;
    std::string first;
    {
      KeyedEngine keyed(open(folder.path() + "/log", files));
      REQUIRE(keyed.send("before", "[" + event("ORD", "2001-06-01T09:00:00Z", 1, 1) + "]").status ==
              200);
      REQUIRE(keyed.engine->commit());
      files->plan().room_bytes = room;
      first = keyed.send("k", kRows).body;
      durable = keyed.engine->commit().has_value();
      std::filesystem::copy(folder.path() + "/log", crashed.path() + "/log");
    }
    KeyedEngine keyed(open(crashed.path() + "/log"));
    CHECK(keyed.end() == (durable ? 5 : 2));
    const Answer again = keyed.send("k", kRows);
    CHECK(again.status == 200);
    CHECK(again.body == first);
    REQUIRE(keyed.engine->sync());
    CHECK(keyed.send("k", kRows).body == first);
    CHECK(keyed.end() == 5);
    CHECK(events_of(*keyed.log_view) == 3);
    if (durable) break;
    REQUIRE(room < 10'000);
  }
}

TEST_CASE("a request that a full disk refused is taken once when it is sent again") {
  const TemporaryFolder folder;
  const auto files = std::make_shared<stores::FaultyFiles>();
  KeyedEngine keyed(open(folder.path(), files));
  files->plan().room_bytes = 100;
  const std::string first = keyed.send("k", kRows).body;
  CHECK_FALSE(keyed.engine->commit());
  CHECK(keyed.send("k", kRows).status == 507);
  CHECK_FALSE(keyed.engine->commit());
  files->plan().room_bytes = stores::FaultPlan::kNever;
  const Answer again = keyed.send("k", kRows);
  CHECK(again.status == 200);
  CHECK(again.body == first);
  REQUIRE(keyed.engine->commit());
  CHECK(events_of(*keyed.log_view) == 2);
  CHECK(keyed.engine->overview().views[0].events == 2);
  CHECK(quality::read_quarantine(keyed.folder.path(), "flights")->size() == 1);
}

}  // namespace
}  // namespace coeval::serving
