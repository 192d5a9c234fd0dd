// Events with ids at the server's door. (semantics: T7)
#include <doctest/doctest.h>

#include <array>

#include "serving/engine_for_tests.h"
#include "stores/event_log.h"

namespace coeval::serving {
namespace {

using namespace testing;

constexpr const char* kNamed = R"toml([project]
name = "shop"
[source.orders]
time     = "ts"
known    = "event time"
id       = "id"
replaces = "r"
deleted  = "amount < 0"
[source.orders.columns]
ts     = { type = "timestamp" }
id     = "string"
r      = { type = "string", nullable = true }
user   = "string"
amount = { type = "int32", max = 1000 }
[source.plain]
time  = "ts"
known = "event time"
[source.plain.columns]
ts = { type = "timestamp" }
[view.user]
from    = "orders"
by      = ["user"]
windows = ["1h"]
n       = "count()"
)toml";

// A log that refuses the append of a given number, once.
class RefusingLog final : public stores::EventLog {
 public:
  std::int64_t refuse_at = -1;

  Result<Position> append(const stores::Draft& draft) override {
    if (refuse_at-- == 0) return fail(Code::disk_full, "no room");
    return log_->append(draft);
  }
  Result<Position> append_together(std::span<const stores::Draft> drafts) override {
    if (refuse_at >= 0 && refuse_at < std::ssize(drafts)) {
      refuse_at = -1;
      return fail(Code::disk_full, "no room");
    }
    return log_->append_together(drafts);
  }
  Status flush() override { return log_->flush(); }
  Status sync() override { return log_->sync(); }
  Status reopen() override { return {}; }
  Position next_position() const override { return log_->next_position(); }
  KnownTime last_known() const override { return log_->last_known(); }
  Status read(Position from,
              const std::function<bool(const stores::Record&)>& visit) const override {
    return log_->read(from, visit);
  }
  Status declare(const std::string& source, const data::Schema& schema) override {
    return log_->declare(source, schema);
  }
  Result<std::vector<stores::LogSchema>> schemas() const override { return log_->schemas(); }
  Result<std::optional<stores::LogTrim>> trim() const override { return log_->trim(); }

 private:
  std::unique_ptr<stores::EventLog> log_ = stores::make_memory_log();
};

struct NamedEngine {
  NamedEngine() {
    auto checked = define::check_text(kNamed, "coeval.toml");
    for (const Error& error : checked.errors) FAIL_CHECK(one_line(error));
    REQUIRE(checked.project);
    project = std::make_shared<const define::Project>(std::move(*checked.project));
    auto kernel = kernel::Kernel::create(project, {0});
    REQUIRE(kernel);
    auto made_log = std::make_unique<RefusingLog>();
    log = made_log.get();
    engine = std::make_unique<Engine>(project, std::move(*kernel), std::move(made_log),
                                      std::make_unique<ManualClock>(kNoon), folder.path(),
                                      Engine::Options{});
    REQUIRE(engine->prepare());
  }
  data::Json send(const std::string& body, int status = 200) {
    const Answer answer = engine->events("orders", body, {});
    INFO(answer.body);
    CHECK(answer.status == status);
    return parsed(answer.body);
  }
  std::int64_t held() const { return engine->overview().views[0].events; }

  TemporaryFolder folder;
  std::shared_ptr<const define::Project> project;
  RefusingLog* log = nullptr;
  std::unique_ptr<Engine> engine;
};

std::string order(const std::string& id, const std::string& replaces, int amount) {
  return R"({"ts":"2001-06-01T11:30:00Z","user":"u","id":")" + id + R"(","amount":)" +
         std::to_string(amount) + (replaces.empty() ? "" : R"(,"r":")" + replaces + "\"") + "}";
}

std::int64_t number(const data::Json& json, std::string_view key) {
  return *at(json, key).integer();
}

TEST_CASE("duplicates are logged and told apart; the counts add up") {
  NamedEngine named;
  const auto answer = named.send("[" + order("a", "", 1) + "," + order("a", "", 2) + "," +
                                 order("b", "", 5000) + "," + order("c", "a", 3) + "," +
                                 order("d", "x", 4) + "," + order("e", "c", -1) + "]");
  CHECK(number(answer, "accepted") == 4);
  CHECK(number(answer, "duplicates") == 1);
  CHECK(number(answer, "quarantined") == 1);
  CHECK(number(answer, "last_position") == 4);
  CHECK(named.log->next_position().value == 5);
  CHECK(named.held() == 1);  // d alone
  CHECK(number(named.send(order("d", "", 4)), "duplicates") == 1);
  const std::string metrics = named.engine->metrics().body;
  for (const char* line : {"coeval_events_accepted_total{source=\"orders\"} 4\n",
                           "coeval_events_quarantined_total{source=\"orders\"} 1\n",
                           "coeval_events_duplicate_total{source=\"orders\"} 2\n",
                           "coeval_events_correcting_total{source=\"orders\"} 2\n",
                           "coeval_events_deleting_total{source=\"orders\"} 1\n",
                           "coeval_events_unmatched_total{source=\"orders\"} 1\n"}) {
    INFO(metrics);
    CHECK(metrics.find(line) != std::string::npos);
  }
}

TEST_CASE("a source without an id tells of no duplicates") {
  NamedEngine named;
  const Answer answer = named.engine->events("plain", R"({"ts":"2001-06-01T11:30:00Z"})", {});
  CHECK(answer.status == 200);
  CHECK(parsed(answer.body).find("duplicates") == nullptr);
}

TEST_CASE("rows that the log refused are sent again and are no duplicates") {
  NamedEngine named;
  named.send(order("a", "", 1));
  named.log->refuse_at = 1;
  named.send("[" + order("b", "a", 2) + "," + order("c", "b", 3) + "," + order("d", "", 4) + "]",
             507);
  CHECK(named.held() == 1);  // a: they are taken all or none
  REQUIRE(named.engine->commit());
  const auto again = named.send("[" + order("b", "a", 2) + "," + order("c", "b", 3) + "," +
                                order("d", "", 4) + "]");
  CHECK(number(again, "duplicates") == 0);
  CHECK(number(again, "accepted") == 3);
  CHECK(named.held() == 2);  // c and d
}

}  // namespace
}  // namespace coeval::serving
