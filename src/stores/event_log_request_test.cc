#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "stores/event_log.h"
#include "stores/event_log_conformance.h"
#include "stores/faulty_files.h"
#include "stores/request_record.h"
#include "stores/temporary_folder.h"

// Records that belong together: a request with a key, and its events.
namespace coeval::stores {
namespace {

std::string request_of(std::uint32_t events) {
  return encode(RequestRecord{events, {1, 2}, {3, 4}, 200, R"({"accepted":3})"});
}

/// A request with three events.
Result<Position> append_request(EventLog& log, const std::string& payload = request_of(3)) {
  const std::vector<Draft> drafts = {{RecordKind::request, KnownTime{50}, 7, 9, payload},
                                     event_draft("first", 50),
                                     event_draft("second", 51),
                                     event_draft("third", 52)};
  return log.append_together(drafts);
}

std::string bytes_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

std::vector<std::string> segments_of(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".seg") paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

TEST_CASE("records that belong together get positions in a row, or none does") {
  const TemporaryFolder folder;
  for (auto& log : {make_memory_log(), std::move(*open_log(folder.path()))}) {
    REQUIRE(log->append(event_draft("before")));
    CHECK(append_request(*log).value() == Position{4});
    const std::string huge(kMaxPayloadBytes + 1, 'x');
    const std::vector<Draft> too_large = {event_draft("fits", 60), event_draft(huge, 60)};
    CHECK(log->append_together(too_large).error().code == Code::out_of_range);
    CHECK(log->next_position() == Position{5});
    REQUIRE(log->sync());
    const auto records = records_of(*log);
    REQUIRE(records.size() == 5);
    CHECK(records[1].kind == RecordKind::request);
    CHECK(records[1].payload == request_of(3));
    CHECK(records[4].payload == "third");
  }
}

TEST_CASE("a request that was not wholly written is not there, wherever it was cut") {
  const TemporaryFolder folder;
  {
    const auto log = open_log(folder.path());
    REQUIRE((*log)->append(event_draft("before", 10)));
    REQUIRE((*log)->append(event_draft("too", 10)));
    REQUIRE((*log)->sync());
  }
  const std::string path = segments_of(folder.path()).front();
  const std::size_t acknowledged = bytes_of(path).size();
  {
    const auto log = open_log(folder.path());
    REQUIRE(append_request(**log));
    REQUIRE((*log)->sync());
  }
  const std::string whole = bytes_of(path);
  REQUIRE(whole.size() > acknowledged + 200);
  for (std::size_t size = acknowledged; size <= whole.size(); ++size) {
    INFO(size);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    std::uint64_t cut = 0;
    std::vector<std::uint64_t> requests;
    LogOptions options;
    options.cut_bytes = &cut;
    options.visit_request = [&](const Record& record) {
      CHECK(record.payload == request_of(3));
      requests.push_back(record.position.value);
    };
    const auto log = open_log(folder.path(), options);
    REQUIRE(log);
    if (size == whole.size()) {
      CHECK(cut == 0);
      CHECK(requests == std::vector<std::uint64_t>{2});
      CHECK((*log)->next_position() == Position{6});
      continue;
    }
    CHECK(cut == size - acknowledged);
    CHECK(requests.empty());
    CHECK((*log)->next_position() == Position{2});
    CHECK((*log)->last_known().us == 10);
    CHECK(bytes_of(path).size() == acknowledged);
    // Sent again, it has the places that it was to have.
    CHECK(append_request(**log).value() == Position{5});
    REQUIRE((*log)->sync());
    CHECK(bytes_of(path) == whole);
  }
}

TEST_CASE("a request and its events are in one segment") {
  const TemporaryFolder folder;
  LogOptions options;
  options.segment_bytes = 500;
  {
    const auto log = open_log(folder.path(), options);
    for (int i = 0; i < 20; ++i) {
      REQUIRE((*log)->append(event_draft(std::string(static_cast<std::size_t>(i) * 17, 'x'), 50)));
      REQUIRE(append_request(**log));
    }
    REQUIRE((*log)->sync());
  }
  CHECK(segments_of(folder.path()).size() > 10);
  std::vector<std::uint64_t> requests;
  options.visit_request = [&](const Record& record) { requests.push_back(record.position.value); };
  const auto log = open_log(folder.path(), options);
  REQUIRE(log);
  REQUIRE(requests.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(requests[i] == i * 5 + 1);
  for (const std::string& path : segments_of(folder.path())) {
    const auto first = std::stoull(std::filesystem::path(path).stem().string().substr(4));
    CHECK((first % 5 == 0 || first % 5 == 1));  // before an event alone, or before a request
  }
}

TEST_CASE("when the disk fills up within a request it is taken back, and fits when there is room") {
  for (std::uint64_t room = 0; room < 300; room += 7) {
    const TemporaryFolder folder;
    const auto files = std::make_shared<FaultyFiles>();
    const auto log = open_log(folder.path(), {.files = files});
    REQUIRE((*log)->append(event_draft("before", 10)));
    REQUIRE((*log)->sync());
    files->plan().room_bytes = room;
    REQUIRE(append_request(**log));
    const Status full = (*log)->sync();
    if (full) break;  // it fits
    CHECK(full.error().code == Code::disk_full);
    files->plan().room_bytes = FaultPlan::kNever;
    REQUIRE((*log)->reopen());
    CHECK((*log)->next_position() == Position{1});
    CHECK(append_request(**log).value() == Position{4});
    REQUIRE((*log)->sync());
    CHECK(records_of(**log).size() == 5);
  }
}

TEST_CASE(
    "a request without events is whole, and one of an unknown version is a record like others") {
  const TemporaryFolder folder;
  {
    const auto log = open_log(folder.path());
    REQUIRE((*log)->append({RecordKind::request, KnownTime{1}, 0, 0, request_of(0)}));
    std::string newer = request_of(3);
    newer[0] = '\2';
    REQUIRE((*log)->append({RecordKind::request, KnownTime{1}, 0, 0, newer}));
    REQUIRE((*log)->sync());
  }
  int requests = 0;
  LogOptions options;
  options.visit_request = [&](const Record&) { ++requests; };
  const auto log = open_log(folder.path(), options);
  CHECK((*log)->next_position() == Position{2});
  CHECK(requests == 1);
}

}  // namespace
}  // namespace coeval::stores
