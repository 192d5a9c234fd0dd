#include "stores/event_log.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "stores/event_log_conformance.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/log_format.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

using namespace std::string_literals;

constexpr const char* kFirstSegment = "log-00000000000000000000.seg";

// Written down from an encoder of the format's prose in another language, not by this code.
const std::string kGoldenSegment =
    // header: COEVALOG, version 1, partition 0, first position 0
    "\x43\x4f\x45\x56\x41\x4c\x4f\x47\x01\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xed\x0b\x80\x7d"
    // event 0, known 991353600000001, source 0xa1b2c3d4, schema 0x01020304, "coeval"
    "\x88\x90\x6e\x0b\x06\x00\x00\x00\xae\xe1\xe3\x4b\x01\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\xd4\xc3\xb2\xa1\x04\x03\x02\x01\x63\x6f\x65\x76\x61\x6c"
    // prediction 1, known the same, no payload
    "\x16\x88\x7b\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00"
    "\x01\x00\x00\x00\x00\x00\x00\x00\x01\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00"
    // cut 2, known a microsecond later, payload 00 ff
    "\x24\x2e\xb6\x28\x02\x00\x00\x00\x83\x24\x1c\x5c\x03\x00\x00\x00"
    "\x02\x00\x00\x00\x00\x00\x00\x00\x02\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff"s;

const std::vector<KeptRecord> kGoldenRecords = {
    {0, RecordKind::event, 991353600000001, 0xA1B2C3D4, 0x01020304, "coeval"},
    {1, RecordKind::prediction, 991353600000001, 0, 0, ""},
    {2, RecordKind::cut, 991353600000002, 0, 0, "\x00\xff"s},
};

void put_file(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories(folder_of(path));
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Exhaustive tests open thousands of logs: on a layer that does not wait for the device.
LogOptions quick_options(std::uint64_t segment_bytes = 1u << 20) {
  return {segment_bytes, std::make_shared<FaultyFiles>()};
}

// Three records of different sizes, as the golden segment has them, in as many segments as asked.
void write_golden_records(const std::string& folder, std::uint64_t segment_bytes) {
  auto log = open_log(folder, quick_options(segment_bytes)).value();
  for (const auto& record : kGoldenRecords)
    REQUIRE(log->append({record.kind, KnownTime{record.known_us}, record.source,
                         record.schema_version, record.payload}));
  REQUIRE(log->sync());
}

// Opens for writing and for reading and wants both to show the first `count` golden records, then
// that the log goes on.
void check_shows_and_goes_on(const std::string& folder, std::size_t count) {
  const std::vector<KeptRecord> expected(
      kGoldenRecords.begin(), kGoldenRecords.begin() + static_cast<std::ptrdiff_t>(count));
  CHECK(records_of(*open_log_for_reading(folder).value()) == expected);
  auto log = open_log(folder, quick_options()).value();
  CHECK(records_of(*log) == expected);
  CHECK(log->append(event_draft("next", INT64_MAX)).value() == Position{count});
  REQUIRE(log->sync());
  CHECK(records_of(*open_log_for_reading(folder).value()).size() == count + 1);
}

// Every record shown must be the golden one of its position; opening may be refused as damage.
void check_never_a_wrong_record(const std::string& folder) {
  const auto is_prefix = [](const std::vector<KeptRecord>& shown) {
    if (shown.size() > kGoldenRecords.size()) return false;
    return std::equal(shown.begin(), shown.end(), kGoldenRecords.begin());
  };
  for (const bool writing : {false, true}) {
    const auto log = writing ? open_log(folder, quick_options()) : open_log_for_reading(folder);
    if (log)
      CHECK(is_prefix(records_of(**log)));
    else
      CHECK((log.error().code == Code::log_corrupt || log.error().code == Code::unsupported));
  }
}

std::size_t whole_records(std::size_t bytes) {
  const std::size_t ends[] = {32 + 46, 32 + 46 + 40, 32 + 46 + 40 + 42};
  std::size_t count = 0;
  for (const std::size_t end : ends) count += bytes >= end ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("the writer makes the bytes that the format promises") {
  const TemporaryFolder folder;
  write_golden_records(folder.path(), 1u << 20);
  CHECK(read_file(folder / kFirstSegment).value() == kGoldenSegment);
}

TEST_CASE("the reader reads the bytes that the format promises") {
  const TemporaryFolder folder;
  put_file(folder / kFirstSegment, kGoldenSegment);
  CHECK(records_of(*open_log_for_reading(folder.path()).value()) == kGoldenRecords);
  const auto log = open_log(folder.path()).value();
  CHECK(records_of(*log) == kGoldenRecords);
  CHECK(log->next_position() == Position{3});
  CHECK(log->last_known().us == 991353600000002);
}

TEST_CASE("a log cut at any byte opens with exactly the records that were whole") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  for (std::size_t cut = 0; cut <= kGoldenSegment.size(); ++cut) {
    CAPTURE(cut);
    const std::string log = folder / std::to_string(cut);
    put_file(log + "/" + kFirstSegment, std::string_view(kGoldenSegment).substr(0, cut));
    check_shows_and_goes_on(log, whole_records(cut));
  }
}

TEST_CASE("a log whose last segment is cut at any byte keeps the segments before") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  for (std::size_t cut = 0; cut <= 32 + 42; ++cut) {
    CAPTURE(cut);
    const std::string log = folder / std::to_string(cut);
    write_golden_records(log, 1);  // a segment a record
    std::filesystem::resize_file(log + "/log-00000000000000000002.seg", cut);
    check_shows_and_goes_on(log, cut == 32 + 42 ? 3 : 2);
  }
}

TEST_CASE("no flip of any byte makes a log show a wrong record") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  for (std::size_t at = 0; at < kGoldenSegment.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      CAPTURE(at);
      std::string bytes = kGoldenSegment;
      bytes[at] = static_cast<char>(bytes[at] ^ mask);
      const std::string log = folder / (std::to_string(at) + "-" + std::to_string(mask));
      put_file(log + "/" + kFirstSegment, bytes);
      check_never_a_wrong_record(log);
    }
  }
}

TEST_CASE("no flip of any byte in a segment before the last goes unnoticed") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  for (std::size_t at = 0; at < 32 + 46; ++at) {
    CAPTURE(at);
    const std::string log = folder / std::to_string(at);
    write_golden_records(log, 1);
    std::string bytes = read_file(log + "/" + kFirstSegment).value();
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    put_file(log + "/" + kFirstSegment, bytes);
    const auto opened = open_log(log, quick_options());
    REQUIRE(!opened);
    CHECK(opened.error().code == Code::log_corrupt);
  }
}

TEST_CASE("a bad record before a good one stops the open and names file and offset") {
  const TemporaryFolder folder;
  std::string bytes = kGoldenSegment;
  bytes[32 + 46 + 20] ^= 1;  // in the header of the second record
  put_file(folder / kFirstSegment, bytes);
  for (const auto& opened : {open_log(folder.path()), open_log_for_reading(folder.path())}) {
    REQUIRE(!opened);
    CHECK(opened.error().code == Code::log_corrupt);
    CHECK(opened.error().message.find(folder / kFirstSegment) != std::string::npos);
    CHECK(opened.error().message.find("offset 78") != std::string::npos);
    CHECK(opened.error().advice.find("doctor --repair") != std::string::npos);
  }
  CHECK(read_file(folder / kFirstSegment).value() == bytes);  // refusing changes nothing
}

TEST_CASE("a payload that holds the image of a record is never taken for one") {
  const TemporaryFolder folder;
  std::string image;
  append_record(image, Position{1}, event_draft("forged", 1));
  {
    auto log = open_log(folder.path()).value();
    REQUIRE(log->append(event_draft(image + std::string(100, 'x'), 1)));
    REQUIRE(log->sync());
  }
  // The process died while it wrote the record: the image is on disk, the end of the payload is
  // not.
  std::filesystem::resize_file(folder / kFirstSegment, 32 + 40 + image.size() + 50);
  const auto log = open_log(folder.path()).value();
  CHECK(records_of(*log).empty());
  CHECK(log->next_position() == Position{0});
}

TEST_CASE("a range of zeros at the end is a torn tail") {
  const TemporaryFolder folder;
  put_file(folder / kFirstSegment, kGoldenSegment + std::string(10'000, '\0'));
  check_shows_and_goes_on(folder.path(), 3);
}

TEST_CASE("a missing segment stops the open and names the segment behind it") {
  const TemporaryFolder folder;
  write_golden_records(folder.path(), 1);
  std::filesystem::remove(folder / "log-00000000000000000001.seg");
  const auto opened = open_log(folder.path());
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::log_corrupt);
  CHECK(opened.error().message.find("log-00000000000000000002.seg") != std::string::npos);
}

TEST_CASE("a record that vanished between two sound ones stops the open") {
  const TemporaryFolder folder;
  std::string bytes = kGoldenSegment;
  bytes.erase(32 + 46, 40);
  put_file(folder / kFirstSegment, bytes);
  const auto opened = open_log(folder.path());
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::log_corrupt);
}

TEST_CASE("a segment of a newer version is refused as unsupported, not as damage") {
  const TemporaryFolder folder;
  std::string bytes = kGoldenSegment;
  // Version 2, with the checksum that goes with it (computed apart).
  bytes.replace(8, 1, "\x02");
  bytes.replace(28, 4, "\x2a\x13\x44\x24");
  put_file(folder / kFirstSegment, bytes);
  const auto opened = open_log(folder.path());
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::unsupported);
  CHECK(inspect_log(folder.path(), true).value().quarantined.empty());
}

TEST_CASE("a log has one writer and any number of readers") {
  const TemporaryFolder folder;
  auto writer = open_log(folder.path()).value();
  const auto second = open_log(folder.path());
  REQUIRE(!second);
  CHECK(second.error().code == Code::log_locked);
  CHECK(second.error().message.find(std::to_string(::getpid())) != std::string::npos);
  CHECK(open_log_for_reading(folder.path()).has_value());
  CHECK(open_log_for_reading(folder.path()).has_value());
  writer.reset();
  CHECK(open_log(folder.path()).has_value());
}

TEST_CASE("a reader sees what the writer flushes, over new segments too") {
  const TemporaryFolder folder;
  auto writer = open_log(folder.path(), {200, nullptr}).value();
  const auto reader = open_log_for_reading(folder.path()).value();
  for (std::size_t count = 1; count <= 20; ++count) {
    REQUIRE(writer->append(event_draft("0123456789")));
    CHECK(records_of(*reader).size() < count);
    REQUIRE(writer->flush());
    CHECK(records_of(*reader).size() == count);
  }
  CHECK(reader->next_position() == Position{0});
  REQUIRE(reader->reopen());
  CHECK(reader->next_position() == Position{20});
}

TEST_CASE("a reader refuses to write") {
  const TemporaryFolder folder;
  write_golden_records(folder.path(), 1u << 20);
  const auto reader = open_log_for_reading(folder.path()).value();
  CHECK(reader->append(event_draft("x")).error().code == Code::unsupported);
  CHECK(reader->flush().error().code == Code::unsupported);
  CHECK(reader->sync().error().code == Code::unsupported);
}

TEST_CASE("a log that is not there cannot be read") {
  const TemporaryFolder folder;
  CHECK(open_log_for_reading(folder / "none").error().code == Code::no_such_file);
  CHECK(inspect_log(folder / "none", true).error().code == Code::no_such_file);
  CHECK(!std::filesystem::exists(folder / "none"));
}

TEST_CASE("every record of a log of many marks is found by its position") {
  const TemporaryFolder folder;
  const std::string payload(1000, 'p');
  auto writer = open_log(folder.path(), {400'000, nullptr}).value();
  for (int i = 0; i < 2000; ++i) REQUIRE(writer->append(event_draft(payload, i)));
  REQUIRE(writer->sync());
  const auto reader = open_log_for_reading(folder.path()).value();
  for (const EventLog* log : {writer.get(), reader.get()}) {
    for (std::uint64_t wanted = 0; wanted < 2000; wanted += 7) {
      std::uint64_t found = UINT64_MAX;
      REQUIRE(log->read(Position{wanted}, [&](const Record& record) {
        found = record.position.value;
        return false;
      }));
      CHECK(found == wanted);
    }
  }
}

}  // namespace coeval::stores
