#include "serving/log_writer.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "serving/engine_for_tests.h"
#include "stores/faulty_files.h"

namespace coeval::serving {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

stores::Draft draft(stores::RecordKind kind, std::int64_t known_us, std::string_view payload) {
  return {kind, KnownTime{known_us}, 0, 0, payload};
}

TEST_CASE(
    "while the disk is full predictions are held, up to a limit, and written when it is not") {
  const testing::TemporaryFolder folder;
  const auto files = std::make_shared<stores::FaultyFiles>();
  auto log = stores::open_log(folder.path(), {.files = files});
  REQUIRE(log);
  LogWriter writer(std::move(*log));
  const std::string large(kMiB, 'p');
  const auto predict = [&](std::int64_t known_us) {
    return writer.append(draft(stores::RecordKind::prediction, known_us, large));
  };
  CHECK(writer.append(draft(stores::RecordKind::event, 5, "event")).value() == Position{0});
  REQUIRE(writer.commit(1));
  files->plan().room_bytes = 100;
  CHECK(predict(7).value() == Position{1});
  CHECK_FALSE(writer.commit(2));
  CHECK(writer.failing());
  for (std::uint64_t i = 2; i <= 64; ++i) CHECK(predict(10).value() == Position{i});
  CHECK(writer.next_position() == Position{65});
  CHECK(writer.last_known().us == 10);
  CHECK(predict(10).error().code == Code::disk_full);
  CHECK(writer.append(draft(stores::RecordKind::event, 10, "e")).error().code == Code::disk_full);
  const std::vector<stores::Draft> events(2, draft(stores::RecordKind::event, 10, "e"));
  CHECK(writer.append_together(events).error().code == Code::disk_full);
  CHECK_FALSE(writer.recover(3));
  CHECK(writer.next_position() == Position{65});

  files->plan().room_bytes = stores::FaultPlan::kNever;
  REQUIRE(writer.recover(4));
  CHECK(writer.append_together(events).value() == Position{66});
  CHECK_FALSE(writer.is_synced(Position{65}));
  REQUIRE(writer.commit(5));
  CHECK(writer.is_synced(Position{66}));
  std::uint64_t records = 0, predictions = 0;
  REQUIRE(writer.log().read(Position{0}, [&](const stores::Record& record) {
    CHECK(record.position.value == records++);
    if (record.kind == stores::RecordKind::prediction) {
      ++predictions;
      CHECK(record.payload == large);
    }
    return true;
  }));
  CHECK(records == 67);
  CHECK(predictions == 64);
}

}  // namespace
}  // namespace coeval::serving
