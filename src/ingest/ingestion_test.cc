#include "ingest/ingestion.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "define/project.h"
#include "ingest/quarantine_files.h"
#include "ingest/standing.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/record_names.h"
#include "stores/temporary_folder.h"
#include "stores/text_table_files.h"

namespace coeval::ingest {

namespace {

using State = BatchOutcome::State;

constexpr const char* kDefinition = R"toml([project]
name = "shop"
[source.orders]
path  = ""
time  = "ts"
known = "ts + minutes(30)"
[source.orders.columns]
ts     = { type = "timestamp", known = "ts" }
amount = { type = "int32", known = "ts", min = 0, max = MAX }
)toml";

std::shared_ptr<const define::Project> checked(const std::string& text) {
  auto checked = define::check_text(text, "coeval.toml");
  REQUIRE(checked.project);
  return std::make_shared<const define::Project>(std::move(*checked.project));
}

std::shared_ptr<const define::Project> project_of(int max, bool with_id = false) {
  std::string text = kDefinition;
  text.replace(text.find("MAX"), 3, std::to_string(max));
  text.erase(text.find("path  = \"\"\n"), 11);
  if (with_id) {
    text.insert(text.find("time "), "id = \"number\"\n");
    text += "number = { type = \"int64\", known = \"ts\" }\n";
  }
  return checked(text);
}

// A folder with a state, and files that are ingested into it.
struct World {
  stores::TemporaryFolder folder{stores::TemporaryFolder::Where::in_memory};
  std::shared_ptr<stores::TableFiles> csv = stores::make_csv_files();
  std::shared_ptr<stores::FaultyFiles> files = std::make_shared<stores::FaultyFiles>();
  std::shared_ptr<const define::Project> project = project_of(1000);

  std::string state() const { return folder / "state"; }
  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
    return folder / name;
  }
  Result<Ingestion> open(IngestOptions options = {}) const {
    options.files = files;
    options.log_id = "7e57";  // worlds of equal steps have equal bytes
    return Ingestion::open(
        project, [this](const std::string&) -> Result<stores::TableFiles*> { return csv.get(); },
        state(), options);
  }
  Result<BatchOutcome> ingest(const std::string& name, IngestOptions options = {}) const {
    COEVAL_ASSIGN(auto ingestion, open(std::move(options)));
    return ingestion.file(0, folder / name, name);
  }
  Standing standing() const {
    const auto log = stores::open_log_for_reading(state() + "/log");
    const auto ledger = log ? Ledger::read(**log) : Ledger{};
    REQUIRE(ledger);
    return standing_of(state(), "orders", *ledger).value();
  }
  std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> bytes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state()))
      if (entry.is_regular_file() && entry.path().filename() != "lock")
        bytes[entry.path().string().substr(state().size())] =
            stores::read_file(entry.path().string()).value();
    return bytes;
  }
};

const std::string kOrders =
    "ts,amount\n2024-01-01T00:02:00Z,5\n2024-01-01T00:01:00Z,6\n2024-01-01T00:03:00Z,5000\n"
    "2024-01-01T00:04:00Z,much\n";

quality::Conservation counts(std::int64_t read, std::int64_t accepted, std::int64_t quarantined,
                             std::int64_t duplicates) {
  return {read, accepted, quarantined, duplicates};
}

std::vector<std::int64_t> known_minutes(const World& world) {
  std::vector<std::int64_t> minutes;
  const auto log = stores::open_log_for_reading(world.state() + "/log").value();
  REQUIRE(log->read(Position{0}, [&](const stores::Record& record) {
    constexpr std::int64_t kBegin = 1704067200000000;  // 2024-01-01
    if (record.kind == stores::RecordKind::event)
      minutes.push_back((record.known.us - kBegin) / 60'000'000);
    return true;
  }));
  return minutes;
}

}  // namespace

TEST_CASE("a file is in the log in order of known time, its bad rows in quarantine, and once") {
  World world;
  world.put("a.csv", kOrders);
  const auto first = world.ingest("a.csv");
  REQUIRE(first);
  CHECK(first->state == State::published);
  CHECK(first->record.counts == counts(4, 2, 2, 0));
  CHECK(known_minutes(world) == std::vector<std::int64_t>{31, 32});
  const auto before = world.everything();
  CHECK(world.ingest("a.csv").value().state == State::known);
  CHECK(world.everything() == before);
  const Standing standing = world.standing();
  CHECK(standing.quarantined == 2);
  CHECK(standing.missing() == 0);
}

TEST_CASE("a batch over its budget is held, and is the same when it is released") {
  World held, straight;
  for (World* world : {&held, &straight}) world->put("a.csv", kOrders);
  IngestOptions strict;
  strict.budgets.max_bad_rows = 1;
  const auto outcome = held.ingest("a.csv", strict);
  REQUIRE(outcome);
  CHECK(outcome->state == State::held);
  CHECK(held.standing().read == 0);
  REQUIRE(held.open().value().release(outcome->record.id, "why not"));
  REQUIRE(straight.ingest("a.csv"));
  CHECK(known_minutes(held) == known_minutes(straight));
  CHECK(held.standing().quarantined == 2);
  CHECK(held.standing().missing() == 0);
}

TEST_CASE("rows of an id that was there are duplicates, in one file and over files") {
  World world;
  world.project = project_of(1000, true);
  const std::string head = "ts,amount,number\n";
  world.put("a.csv", head + "2024-01-01T00:01:00Z,1,7\n2024-01-01T00:02:00Z,1,7\n");
  world.put("b.csv", head + "2024-01-01T00:03:00Z,1,8\n2024-01-01T00:04:00Z,1,7\n");
  CHECK(world.ingest("a.csv").value().record.counts == counts(2, 1, 0, 1));
  CHECK(world.ingest("b.csv").value().record.counts == counts(2, 1, 0, 1));
  CHECK(known_minutes(world).size() == 4);  // recorded, and applied once
  CHECK(world.standing().missing() == 0);
}

TEST_CASE("rows that a mended rule takes leave the quarantine; others are dropped with a reason") {
  World world;
  world.put("a.csv", kOrders);
  REQUIRE(world.ingest("a.csv"));
  world.project = project_of(10000);
  const auto replayed = world.open().value().replay_quarantine(0);
  REQUIRE(replayed);
  CHECK(replayed->record.counts == counts(1, 1, 0, 0));
  CHECK(known_minutes(world) == std::vector<std::int64_t>{31, 32, 33});
  CHECK(world.open().value().replay_quarantine(0).value().state == State::nothing);
  const auto note = world.open().value().drop_quarantine("orders", "amount.type", "no such amount");
  REQUIRE(note);
  CHECK(note->rows == 1);
  const Standing standing = world.standing();
  CHECK(standing.quarantined == 0);
  CHECK(standing.replayed == 1);
  CHECK(standing.dropped == 1);
  CHECK(standing.missing() == 0);
}

TEST_CASE("no row from the future gets in where the definition says so, even if it says when") {
  World world;
  world.project = checked(R"toml([project]
name = "shop"
[source.orders]
time = "ts"
known = "event time"
[source.orders.columns]
ts = { type = "timestamp", known = "ts", max_ahead = "1d" }
)toml");
  world.put("a.csv", "ts\n2024-01-02T00:00:00Z\n2024-01-03T23:00:00Z\n2099-01-01T00:00:00Z\n");
  IngestOptions options;
  options.now_us = [] { return std::int64_t{1704240000000000}; };  // 2024-01-03
  const auto outcome = world.ingest("a.csv", options);
  REQUIRE(outcome);
  CHECK(outcome->record.counts == counts(3, 2, 1, 0));
  CHECK(outcome->quarantined == std::map<std::string, std::int64_t>{{"ts.max_ahead", 1}});
  // Nor by way of the quarantine.
  CHECK(world.open(options).value().replay_quarantine(0).value().state == State::nothing);
  // What comes late counts as known later, and that is said.
  world.put("b.csv", "ts\n2024-01-01T00:00:00Z\n2024-01-04T00:00:00Z\n");
  const auto late = world.ingest("b.csv", options);
  REQUIRE(late);
  REQUIRE(late->warnings.size() == 1);
  CHECK(late->warnings[0].starts_with("1 row was known before 2024-01-03T23:00:00Z"));
}

TEST_CASE(
    "a text that was cut within a line goes on with that line, and without its end behind it") {
  World world;
  const std::string text = "ts,amount\n2024-01-01T00:01:00Z,1\n2024-01-01T00:02:00Z,23";
  world.put("cut.csv", text.substr(0, text.size() - 1));
  CHECK(world.ingest("cut.csv").value().record.counts == counts(2, 2, 0, 0));
  world.put("cut.csv", text + "\n2024-01-01T00:03:00Z,3");
  const auto went_on = world.ingest("cut.csv");
  REQUIRE(went_on);
  CHECK(went_on->record.first_line == 3);
  CHECK(went_on->record.counts == counts(2, 2, 0, 0));
  CHECK(went_on->note.ends_with("was not whole then (what was read of it stays)"));
  world.put("cut.csv", text + "\n2024-01-01T00:03:00Z,3\n2024-01-01T00:04:00Z,4\n");
  const auto after = world.ingest("cut.csv");
  REQUIRE(after);
  CHECK(after->record.first_line == 5);
  CHECK(after->record.counts == counts(1, 1, 0, 0));
}

TEST_CASE("the quarantine has a row's own bytes, where they stand, and what was found there") {
  World world;
  world.put("a.csv", kOrders);
  const auto outcome = world.ingest("a.csv");
  REQUIRE(outcome);
  std::vector<quality::QuarantinedRow> rows;
  const auto log = stores::open_log_for_reading(world.state() + "/log").value();
  const auto files = quarantine_files(world.state(), "orders", Ledger::read(*log).value());
  REQUIRE(files.value().size() == 1);
  REQUIRE(read_rows(files->front(), {[&](const quality::QuarantinedRow& row, std::string_view) {
                                       rows.push_back(row);
                                       return Status{};
                                     },
                                     nullptr}));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].raw == "2024-01-01T00:03:00Z,5000");
  CHECK(rows[0].rules == std::vector<std::string>{"amount.max"});
  CHECK(rows[0].observed.dump() == R"({"amount.max":5000})");
  CHECK(rows[1].raw == "2024-01-01T00:04:00Z,much");
  for (const quality::QuarantinedRow& row : rows) {
    REQUIRE(row.offset);
    CHECK(kOrders.substr(*row.offset, row.raw.size()) == row.raw);
    CHECK(row.header == "ts,amount");
    CHECK(row.batch == outcome->record.id);
    CHECK(row.sha256 == outcome->record.sha256);
    CHECK(row.schema == stores::tag_text(outcome->record.schema));
  }
  CHECK(rows[0].row == 4);  // a person's line of the file
}

TEST_CASE("checks ask the log: keys that were known by then, and hours of the batches before") {
  World world;
  world.project = checked(R"toml([project]
name = "shop"
[source.users]
time = "ts"
known = "event time"
[source.users.columns]
ts   = { type = "timestamp", known = "ts" }
name = { type = "string", known = "ts" }
[source.orders]
time = "ts"
known = "event time"
[source.orders.columns]
ts   = { type = "timestamp", known = "ts" }
user = { type = "string", known = "ts" }
[source.orders.checks]
user  = { refers = "user", to = "users.name" }
usual = { volume = "4w", max_ratio = 2 }
)toml");
  const auto ingest = [&](const std::string& source, const std::string& name,
                          const std::string& text) {
    world.put(name, text);
    return world.open().value().file(world.project->source_index(source), world.folder / name,
                                     name);
  };
  REQUIRE(ingest("users", "users.csv", "ts,name\n2024-01-01T00:30:00Z,ann\n"));
  for (const std::string day : {"01", "08", "15"}) {
    const auto batch = ingest("orders", day + ".csv",
                              "ts,user\n2024-01-" + day + "T00:20:00Z,ann\n2024-01-" + day +
                                  "T00:40:00Z,ann\n2024-01-" + day + "T00:41:00Z,bob\n");
    REQUIRE(batch);
    // On the first day at 00:20 nobody knew ann; nobody ever knows bob.
    CHECK(batch->record.counts == (day == "01" ? counts(3, 1, 2, 0) : counts(3, 2, 1, 0)));
    CHECK(batch->state == State::held);  // too little history to know what is usual
    REQUIRE(world.open().value().release(batch->record.id, "the first weeks"));
  }
  const auto usual = ingest("orders", "22.csv", "ts,user\n2024-01-22T00:20:00Z,ann\n");
  REQUIRE(usual);
  CHECK(usual->state == State::published);
  std::string many = "ts,user\n";
  for (int i = 0; i < 9; ++i) many += "2024-01-29T00:2" + std::to_string(i) + ":00Z,ann\n";
  const auto much = ingest("orders", "29.csv", many);
  REQUIRE(much);
  CHECK(much->state == State::held);
  REQUIRE(much->reasons.size() == 1);
  CHECK(much->reasons.front().starts_with("checks.usual: "));
}

TEST_CASE(
    "a disk that is full at any byte loses nothing, and the next run ends as if it had not been") {
  const auto steps = [](World& world) -> Status {
    world.project = project_of(1000);
    COEVAL_TRY(world.ingest("a.csv"));
    IngestOptions strict;
    strict.budgets.max_bad_rows = 0;
    COEVAL_TRY(world.ingest("b.csv", strict));
    world.project = project_of(10000);
    COEVAL_ASSIGN(auto replaying, world.open());
    COEVAL_TRY(replaying.replay_quarantine(0));
    COEVAL_TRY(replaying.drop_quarantine("orders", "amount.type", "no such amount"));
    world.project = project_of(1000);
    return {};
  };
  const auto fill = [](World& world) {
    world.put("a.csv", kOrders);
    world.put("b.csv", "ts,amount\n2024-01-02T00:00:00Z,1\n2024-01-02T00:00:00Z,9000\n");
  };
  World quiet;
  fill(quiet);
  REQUIRE(steps(quiet));
  const auto expected = quiet.everything();
  const std::uint64_t bytes = quiet.files->written_bytes();
  REQUIRE(bytes > 1000);
  for (std::uint64_t room = 0; room < bytes; room += 7) {
    CAPTURE(room);
    World world;
    fill(world);
    world.files->plan().room_bytes = room;
    const Status stopped = steps(world);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == Code::disk_full);
    CHECK(world.standing().missing() == 0);
    world.files->plan().room_bytes = stores::FaultPlan::kNever;
    REQUIRE(steps(world));
    CHECK(world.standing().missing() == 0);
    CHECK(world.everything() == expected);
  }
}

}  // namespace coeval::ingest
