#include "quality/report.h"

#include <algorithm>

#include "base/time.h"
#include "data/printable.h"
#include "data/utf8.h"
#include "quality/proposal.h"

namespace coeval::quality {

namespace {

using Status = RuleResult::Status;

data::Json counts_json(const Conservation& counts) {
  data::Json json{data::Json::Object{}};
  json.set("read_count", counts.read);
  json.set("accepted_count", counts.accepted);
  json.set("quarantined_count", counts.quarantined);
  json.set("duplicates_count", counts.duplicates);
  return json;
}

data::Json rule_json(const RuleResult& rule) {
  data::Json json{data::Json::Object{}};
  json.set("rule", rule.name);
  json.set("kind", rule.kind);
  json.set("status", name(rule.status));
  json.set("expected", rule.expected);
  json.set("observed", rule.observed);
  json.set("rows_count", rule.rows_count);
  data::Json samples{data::Json::Array{}};
  for (const SampleRow& row : rule.samples) {
    data::Json one{data::Json::Object{}};
    one.set("origin", row.origin);
    one.set("row", row.place);
    one.set("observed", row.observed);
    one.set("raw", row.raw);
    samples.push(std::move(one));
  }
  json.set("samples", std::move(samples));
  return json;
}

data::Json column_json(const ReportedColumn& column) {
  data::Json json = to_json(column.pii ? without_values(column.summary) : column.summary);
  json.set("pii", column.pii);
  return json;
}

data::Json times_json(const TimeCounts& times) {
  data::Json json{data::Json::Object{}};
  json.set("stretch_s", times.length_us() / kSecondUs);
  data::Json list{data::Json::Array{}};
  for (const TimeCounts::Stretch& stretch : times.stretches()) {
    data::Json one{data::Json::Object{}};
    one.set("begin", format_time(stretch.begin_us));
    one.set("rows_count", stretch.rows);
    one.set("mean_delay_s", stretch.mean_delay_s());
    one.set("longest_delay_s", static_cast<double>(stretch.longest_delay_us) / 1e6);
    list.push(std::move(one));
  }
  json.set("stretches", std::move(list));
  return json;
}

}  // namespace

std::string_view name(Status status) {
  switch (status) {
    case Status::passed:
      return "passed";
    case Status::warned:
      return "warned";
    case Status::failed:
      return "failed";
    case Status::not_evaluated:
      return "not evaluated";
  }
  return "";
}

bool QualityReport::failed() const {
  return count(Status::failed) + count(Status::not_evaluated) > 0;
}

std::int64_t QualityReport::count(Status status) const {
  return std::ranges::count(rules, status, &RuleResult::status);
}

std::string report_text(const QualityReport& report, std::size_t lines) {
  std::string out = report.source + ": " + to_text(report.counts) + "\n";
  std::size_t shown = 0, hidden = 0;
  for (const RuleResult& rule : report.rules) {
    if (rule.status == Status::passed) continue;
    if (++shown > lines) {
      ++hidden;
      continue;
    }
    const std::string mark = rule.status == Status::warned ? "warn " : "FAIL ";
    out += "  " + mark + rule.name + ": " + rule.expected + "; " + rule.observed + "\n";
    if (!rule.samples.empty()) {
      const SampleRow& row = rule.samples.front();
      out += "       such as " + data::printable(place_text(row)) + ": " + row.observed + "\n";
    }
  }
  if (hidden > 0) out += "  … and " + std::to_string(hidden) + " more rules\n";
  for (const PersonalColumn& column : report.personal)
    out += "  warn " + personal_text(column) + "\n";
  for (const std::string& note : report.notes) out += "  warn " + note + "\n";
  out += "  " + with_separators(report.count(Status::passed)) + " rules passed, " +
         with_separators(report.count(Status::warned)) + " warned, " +
         with_separators(report.count(Status::failed)) + " failed";
  if (const auto unknown = report.count(Status::not_evaluated); unknown > 0)
    out += ", " + with_separators(unknown) + " could not be evaluated";
  return out + "\n";
}

data::Json report_json(const QualityReport& report) {
  data::Json json{data::Json::Object{}};
  json.set("project", report.project);
  json.set("source", report.source);
  json.set("ir_hash", report.ir_hash);
  json.set("schema_version", report.schema_version);
  if (report.made_at_us) json.set("made_at", format_time(*report.made_at_us));
  json.set("failed", report.failed());
  json.set("counts", counts_json(report.counts));
  data::Json files{data::Json::Array{}};
  for (const ReportedFile& file : report.files) {
    data::Json one = counts_json(file.counts);
    one.set("file", file.path);
    one.set("sha256", file.sha256);
    one.set("verdict", file.verdict);
    files.push(std::move(one));
  }
  json.set("files", std::move(files));
  data::Json rules{data::Json::Array{}};
  for (const RuleResult& rule : report.rules) rules.push(rule_json(rule));
  json.set("rules", std::move(rules));
  data::Json columns{data::Json::Array{}};
  for (const ReportedColumn& column : report.columns) columns.push(column_json(column));
  json.set("columns", std::move(columns));
  json.set("times", times_json(report.times));
  data::Json personal{data::Json::Array{}};
  for (const PersonalColumn& column : report.personal) {
    data::Json one{data::Json::Object{}};
    one.set("column", column.column);
    one.set("like", name(column.kind));
    one.set("alike_count", column.alike);
    one.set("looked_count", column.looked);
    personal.push(std::move(one));
  }
  json.set("personal", std::move(personal));
  json.set("notes", data::Json::Array(report.notes.begin(), report.notes.end()));
  return json;
}

std::string markup_text(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  while (!text.empty()) {
    const std::size_t size = data::utf8_sequence(text);
    const char c = text.front();
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n';
    // U+FFFE and U+FFFF are no characters of XML.
    const bool none =
        size == 3 && (text.substr(0, 3) == "\xEF\xBF\xBE" || text.substr(0, 3) == "\xEF\xBF\xBF");
    if (size == 0 || control || none)
      out += kReplacement;
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string report_junit(const QualityReport& report) {
  const auto failures = report.count(Status::failed);
  const auto errors = report.count(Status::not_evaluated);
  const std::string counts = " tests=\"" + std::to_string(report.rules.size()) + "\" failures=\"" +
                             std::to_string(failures) + "\" errors=\"" + std::to_string(errors) +
                             "\" skipped=\"0\"";
  const std::string suite = markup_text(report.project + "." + report.source);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"coeval\"" +
                    counts + ">\n<testsuite name=\"" + suite + "\"" + counts + ">\n";
  for (const RuleResult& rule : report.rules) {
    out += "<testcase name=\"" + markup_text(rule.name) + "\" classname=\"" + suite + "\"";
    if (rule.status == Status::passed) {
      out += "/>\n";
      continue;
    }
    const std::string message = markup_text(rule.expected + "; " + rule.observed);
    std::string detail;
    for (const SampleRow& row : rule.samples)
      detail += place_text(row) + ": " + row.observed + "\n";
    if (rule.status == Status::warned)
      out += "><system-out>warning: " + message + "\n" + markup_text(detail) +
             "</system-out></testcase>\n";
    else {
      const std::string tag = rule.status == Status::failed ? "failure" : "error";
      out += "><" + tag + " message=\"" + message + "\">" + markup_text(detail) + "</" + tag +
             "></testcase>\n";
    }
  }
  return out + "</testsuite>\n</testsuites>\n";
}

}  // namespace coeval::quality
