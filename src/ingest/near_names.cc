#include "ingest/near_names.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>

#include "data/json.h"
#include "define/diagnostics.h"
#include "stores/byte_source.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kLookedBytes = std::size_t{256} << 10;
constexpr std::size_t kMostKeys = 256;  // that are counted
constexpr std::size_t kMostTold = 8;

bool is_json_lines(const std::string& path) {
  const std::string ending =
      std::filesystem::path(stores::without_packing(path)).extension().string();
  return ending == ".jsonl" || ending == ".ndjson";
}

Result<std::string> first_bytes(const std::string& path) {
  COEVAL_ASSIGN(const auto bytes, stores::open_bytes(path));
  std::string text(kLookedBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    COEVAL_ASSIGN(const std::size_t got, bytes->read(std::span<char>(text).subspan(size)));
    if (got == 0) break;
    size += got;
  }
  text.resize(size);
  return text;
}

// The columns that a row's text has itself.
std::vector<std::string> read_columns(const define::Source& source) {
  std::vector<std::string> names;
  for (const define::SourceColumn& column : source.columns)
    if (!column.json) names.push_back(column.name);
  return names;
}

}  // namespace

Result<std::vector<std::string>> near_names(const define::Source& source, const std::string& path) {
  std::vector<std::string> texts;
  if (!is_json_lines(path)) return texts;
  COEVAL_ASSIGN(const std::string text, first_bytes(path));
  const std::vector<std::string> declared = read_columns(source);
  std::map<std::string, std::int64_t> unknown;  // rows by key
  std::map<std::string, std::int64_t> present;  // rows by column
  data::JsonParser parser;
  std::int64_t rows = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos && text.size() == kLookedBytes) break;  // cut
    const auto row = parser.parse(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!row || row->object() == nullptr) continue;
    ++rows;
    for (const auto& [key, value] : *row->object()) {
      const bool is_declared = std::ranges::find(declared, key) != declared.end();
      auto& counts = is_declared ? present : unknown;
      if (counts.contains(key) || counts.size() < kMostKeys || is_declared) ++counts[key];
    }
  }
  for (const auto& [key, count] : unknown) {
    std::vector<std::string> absent;  // where the key stands in every row, or nearly
    for (const std::string& column : declared)
      if (present[column] + count <= rows) absent.push_back(column);
    const std::string meant = define::did_you_mean(key, absent);
    if (meant.empty()) continue;
    if (texts.size() == kMostTold) break;
    texts.push_back("the source declares no column " + define::in_quotes(key) + ", which " +
                    std::to_string(count) + " of the first " + std::to_string(rows) +
                    (rows == 1 ? " row has: " : " rows have: ") + meant);
  }
  return texts;
}

}  // namespace coeval::ingest
