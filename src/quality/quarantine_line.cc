#include "quality/quarantine_line.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "data/hash.h"
#include "data/utf8.h"

namespace coeval::quality {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
// The checksum's member and the brace: ,"crc32c":"e3069283"}
constexpr std::string_view kSumKey = ",\"crc32c\":\"";
constexpr std::string_view kSumEnd = "\"}";
constexpr std::size_t kSumDigits = 8;
// What lines had before they had a checksum.
constexpr std::string_view kOlderMembers[] = {"source",   "origin", "row",    "raw",     "raw_hex",
                                              "rules",    "reason", "batch",  "sha256",  "offset",
                                              "observed", "schema", "header", "time_us", "request"};

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += kHexDigits[static_cast<unsigned char>(byte) >> 4];
    out += kHexDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

bool from_hex(std::string_view text, std::string& bytes) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kHexDigits.find(text[i]), low = kHexDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    bytes += static_cast<char>(high << 4 | low);
  }
  return true;
}

std::unexpected<Error> bad_member(std::string_view key, std::string_view wanted) {
  return fail(Code::bad_json,
              "expected " + std::string(wanted) + " in member '" + std::string(key) + "'");
}

Result<std::string> text_member(const data::Json& line, std::string_view key) {
  const data::Json* member = line.find(key);
  if (member == nullptr || member->string() == nullptr) return bad_member(key, "a string");
  return *member->string();
}

Result<std::string> raw_member(const data::Json& line) {
  if (line.find("raw_hex") == nullptr) return text_member(line, "raw");
  COEVAL_ASSIGN(const std::string digits, text_member(line, "raw_hex"));
  std::string bytes;
  if (!from_hex(digits, bytes))
    return bad_member("raw_hex", "two lower-case hexadecimal digits a byte");
  return bytes;
}

Result<std::vector<std::string>> rules_member(const data::Json& line) {
  const data::Json* member = line.find("rules");
  if (member == nullptr || member->array() == nullptr) return bad_member("rules", "an array");
  std::vector<std::string> rules;
  for (const data::Json& rule : *member->array()) {
    if (rule.string() == nullptr) return bad_member("rules", "strings");
    rules.push_back(*rule.string());
  }
  return rules;
}

// Members that a line need not have.
void add_particulars(data::Json::Object& line, const QuarantinedRow& row) {
  const auto add_text = [&line](const char* key, const std::string& text) {
    if (!text.empty()) line.emplace_back(key, text);
  };
  add_text("batch", row.batch);
  add_text("sha256", row.sha256);
  if (row.offset) line.emplace_back("offset", static_cast<std::int64_t>(*row.offset));
  if (!row.observed.is_null()) line.emplace_back("observed", row.observed);
  add_text("schema", row.schema);
  if (!row.header.empty() && data::is_utf8(row.header)) line.emplace_back("header", row.header);
  if (row.time_us) line.emplace_back("time_us", *row.time_us);
  add_text("request", row.request);
}

Status read_text(const data::Json& line, std::string_view key, std::string& text) {
  if (line.find(key) == nullptr) return {};
  COEVAL_ASSIGN(text, text_member(line, key));
  return {};
}

Result<std::optional<std::int64_t>> integer_member(const data::Json& line, std::string_view key) {
  const data::Json* member = line.find(key);
  if (member == nullptr) return std::nullopt;
  if (member->integer() == nullptr) return bad_member(key, "an integer");
  return *member->integer();
}

Status read_particulars(const data::Json& line, QuarantinedRow& row) {
  COEVAL_TRY(read_text(line, "batch", row.batch));
  COEVAL_TRY(read_text(line, "sha256", row.sha256));
  COEVAL_ASSIGN(const auto offset, integer_member(line, "offset"));
  if (offset) row.offset = static_cast<std::uint64_t>(*offset);
  if (const data::Json* observed = line.find("observed")) row.observed = *observed;
  COEVAL_TRY(read_text(line, "schema", row.schema));
  COEVAL_TRY(read_text(line, "header", row.header));
  COEVAL_ASSIGN(row.time_us, integer_member(line, "time_us"));
  COEVAL_TRY(read_text(line, "request", row.request));
  return {};
}

std::string sum_text(std::string_view bytes) {
  char digits[kSumDigits + 1];
  std::snprintf(digits, sizeof digits, "%08x", data::crc32c(bytes));
  return digits;
}

// The checksum that a line ends in, and what it is of; nothing where there is none.
struct Sum {
  std::string_view summed, digits;
};
std::optional<Sum> sum_of(std::string_view line) {
  constexpr std::size_t kSize = kSumKey.size() + kSumDigits + kSumEnd.size();
  if (line.size() < kSize) return std::nullopt;
  const std::string_view end = line.substr(line.size() - kSize);
  if (!end.starts_with(kSumKey) || !end.ends_with(kSumEnd)) return std::nullopt;
  return Sum{line.substr(0, line.size() - kSize), end.substr(kSumKey.size(), kSumDigits)};
}

std::unexpected<Error> damaged(std::string why) {
  return fail(Code::bad_json, "the line does not have the bytes that were written: " + why,
              "put the file back from a backup; `coeval quarantine drop` without --rule takes "
              "damaged lines out too");
}

Status check_older(const data::Json& line) {
  if (line.object() == nullptr) return {};  // refused for its members
  for (const auto& [key, value] : *line.object())
    if (std::ranges::find(kOlderMembers, key) == std::end(kOlderMembers))
      return damaged("it has no checksum, and a member '" + key +
                     "' that lines without one do not have");
  return {};
}

Result<QuarantinedRow> read_row(const data::Json& line) {
  QuarantinedRow row;
  COEVAL_ASSIGN(row.source, text_member(line, "source"));
  COEVAL_ASSIGN(row.origin, text_member(line, "origin"));
  COEVAL_ASSIGN(row.raw, raw_member(line));
  COEVAL_ASSIGN(row.rules, rules_member(line));
  COEVAL_ASSIGN(row.reason, text_member(line, "reason"));
  const data::Json* number = line.find("row");
  if (number == nullptr || number->integer() == nullptr) return bad_member("row", "an integer");
  row.row = *number->integer();
  COEVAL_TRY(read_particulars(line, row));
  return row;
}

}  // namespace

data::Json quarantine_json(const QuarantinedRow& row) {
  data::Json::Array rules(row.rules.begin(), row.rules.end());
  const bool text = data::is_utf8(row.raw);
  data::Json::Object line;
  line.emplace_back("source", row.source);
  line.emplace_back("origin", row.origin);
  line.emplace_back("row", row.row);
  line.emplace_back(text ? "raw" : "raw_hex", text ? row.raw : to_hex(row.raw));
  line.emplace_back("rules", std::move(rules));
  line.emplace_back("reason", row.reason);
  add_particulars(line, row);
  return line;
}

std::string quarantine_line(const QuarantinedRow& row) {
  std::string line = quarantine_json(row).dump();
  line.pop_back();  // the brace
  const std::string digits = sum_text(line);
  return (line.append(kSumKey).append(digits).append(kSumEnd)) + "\n";
}

Result<QuarantinedRow> parse_quarantine_line(data::JsonParser& parser, std::string_view line,
                                             std::int64_t number) {
  const auto sum = sum_of(line);
  if (sum && sum->digits != sum_text(sum->summed))
    return damaged("their checksum is " + sum_text(sum->summed) + ", not what the line ends in");
  const auto json = parser.parse(line, {}, number);
  if (!json) return damaged(json.error().message);
  if (!sum) COEVAL_TRY(check_older(*json));
  return read_row(*json);
}

}  // namespace coeval::quality
