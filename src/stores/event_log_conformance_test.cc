#include "stores/event_log_conformance.h"

#include "stores/faulty_files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

TEST_CASE("the memory log keeps the contract of EventLog") {
  check_event_log_conformance(make_memory_log);
}

TEST_CASE("the log on disk keeps the contract of EventLog") {
  const TemporaryFolder folder;
  check_event_log_conformance([&] { return open_log(folder / "log").value(); });
}

TEST_CASE("the log on disk keeps the contract with segments of a few records") {
  const TemporaryFolder folder;
  check_event_log_conformance([&] { return open_log(folder / "log", {500, nullptr}).value(); });
}

TEST_CASE("the log on disk keeps the contract when every write is short") {
  const TemporaryFolder folder;
  check_event_log_conformance([&] {
    auto files = std::make_shared<FaultyFiles>();
    files->plan().write_limit = 40'000;
    return open_log(folder / "log", {1u << 20, files}).value();
  });
}

}  // namespace coeval::stores
