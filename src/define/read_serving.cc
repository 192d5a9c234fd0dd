#include "base/byte_size.h"
#include "define/draft.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

constexpr std::int64_t kLeastMemory = 1'000'000;

}  // namespace

void read_serving(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, TomlValue::Kind::table, "the definition", "write [serving]", errors))
    return;
  TableReader reader(entry.value, entry.position, "[serving]", errors);
  const auto place = [&](std::string_view key) { return entry.value.find(key)->value.position; };
  Serving& serving = draft.project.serving;
  if (const auto state = reader.string("state")) {
    serving.on_disk = *state == "disk";
    if (*state != "disk" && *state != "memory")
      errors.report(Code::bad_toml_value, place("state"),
                    "unknown place for the state: " + in_quotes(*state),
                    "write \"memory\" or \"disk\"");
  }
  if (const auto memory = reader.string("memory")) {
    const auto bytes = parse_bytes(*memory);
    if (!bytes)
      errors.report(Code::bad_toml_value, place("memory"), bytes.error().message,
                    bytes.error().advice);
    else if (*bytes < kLeastMemory)
      errors.report(Code::bad_toml_value, place("memory"),
                    "entities cannot do with less than 1MB of memory",
                    "write memory = \"1MB\" or more");
    else if (!serving.on_disk)
      errors.report(Code::bad_toml_value, place("memory"),
                    "a memory limit needs a state on disk, where the rest of it can stand",
                    "write state = \"disk\" too, or leave memory out");
    else
      serving.memory_bytes = *bytes;
  }
  reader.finish();
}

}  // namespace coeval::define
