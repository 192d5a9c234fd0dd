#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "stores/event_log.h"
#include "stores/faulty_files.h"
#include "stores/log_format.h"
#include "stores/temporary_folder.h"

// The input is a script: each byte pair of it damages a sound log at a place (overwrite, cut,
// insert). The log then opens with a prefix of what was written, or is refused as damaged; repair
// makes it open again with every record at its position or marked lost. An input that begins with
// the magic of a segment is taken as a whole segment instead, and must not crash.
namespace {

using namespace coeval;
using namespace coeval::stores;

constexpr std::uint64_t kRecords = 12;

std::string fuzz_payload(std::uint64_t i) {
  return std::string(i * 7 % 40, static_cast<char>('a' + i));
}

std::string sound_segment() {
  std::string bytes = encode_segment_header(Position{0});
  for (std::uint64_t i = 0; i < kRecords; ++i)
    append_record(bytes, Position{i}, {RecordKind::event, KnownTime{5}, 1, 2, fuzz_payload(i)});
  return bytes;
}

std::string damage(std::string bytes, std::string_view script) {
  for (std::size_t i = 0; i + 3 < script.size(); i += 4) {
    const auto byte = [&](std::size_t k) { return static_cast<std::uint8_t>(script[i + k]); };
    const std::size_t at = (byte(0) * 256u + byte(1)) % (bytes.size() + 1);
    if (byte(2) % 4 == 0) bytes.resize(at);
    if (byte(2) % 4 == 1) bytes.insert(at, 1 + byte(3) % 64, static_cast<char>(byte(3)));
    if (byte(2) % 4 == 2) bytes.erase(at, 1 + byte(3) % 64);
    if (byte(2) % 4 == 3 && at < bytes.size()) bytes[at] = static_cast<char>(byte(3));
  }
  return bytes;
}

// Reads all; wants dense positions and, unless lost, the payloads that were written.
void check_log(const EventLog& log, bool contents_known) {
  std::uint64_t next = 0;
  const Status read = log.read(Position{0}, [&](const Record& record) {
    COEVAL_CHECK(record.position.value == next++);
    if (contents_known && record.kind != RecordKind::lost)
      COEVAL_CHECK(record.payload == fuzz_payload(record.position.value));
    return true;
  });
  COEVAL_CHECK(read.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool raw = input.starts_with("COEVALOG");
  const std::string bytes = raw ? std::string(input) : damage(sound_segment(), input);
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  std::ofstream(folder / segment_name(Position{0}), std::ios::binary) << bytes;
  const auto view = open_log_for_reading(folder.path());
  if (view) check_log(**view, !raw);
  const auto report = inspect_log(folder.path(), true);
  COEVAL_CHECK(report.has_value());
  const auto log = open_log(folder.path(), {1u << 20, std::make_shared<FaultyFiles>()});
  COEVAL_CHECK(log.has_value() == report->problem.empty());
  if (log) check_log(**log, !raw);
  return 0;
}
