#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/json.h"
#include "quality/checks.h"
#include "quality/personal_data.h"
#include "quality/profile_summary.h"
#include "quality/sample_rows.h"
#include "quality/time_counts.h"

namespace coeval::quality {

/// What became of one rule in a run.
struct RuleResult {
  enum class Status : std::uint8_t { passed, warned, failed, not_evaluated };
  std::string name;      ///< "delay.min", "checks.once"
  std::string kind;      ///< "row", "batch", "distribution"
  std::string expected;  ///< "delay must be at least -120"
  std::string observed;  ///< "185 rows", "0.31", why it could not be evaluated
  Status status = Status::passed;
  std::int64_t rows_count = 0;  ///< rows that broke it
  std::vector<SampleRow> samples;
};
std::string_view name(RuleResult::Status status);

/// A column with what its profile says.
struct ReportedColumn {
  ColumnSummary summary;
  bool pii = false;  ///< its values are not shown
};

/// A file that was read.
struct ReportedFile {
  std::string path, sha256;
  Conservation counts;
  std::string verdict;  ///< "published", "held: …", "already ingested", "checked"
};

/// Everything that a run of checks over a source found. What is drawn from it, as text, JSON,
/// JUnit's XML and HTML, is a function of it: equal runs give equal bytes, and nothing in it
/// depends on the clock but `made_at_us`, which the caller sets.
struct QualityReport {
  std::string project, source, ir_hash, schema_version;
  std::optional<std::int64_t> made_at_us;
  std::vector<ReportedFile> files;
  Conservation counts;
  std::vector<RuleResult> rules;  ///< in the order of the definition
  std::vector<ReportedColumn> columns;
  TimeCounts times;
  std::vector<PersonalColumn> personal;  ///< columns that look so and are not tagged
  std::vector<std::string> notes;        ///< what else a person should know: "batch … has it"

  bool failed() const;  ///< a rule failed, or could not be evaluated
  std::int64_t count(RuleResult::Status status) const;
};

/// For a terminal: counts, then each rule that did not pass, at most `lines` of them.
std::string report_text(const QualityReport& report, std::size_t lines = 20);
data::Json report_json(const QualityReport& report);
/// One test case a rule, as CI systems read it: https://github.com/testmoapp/junitxml.
std::string report_junit(const QualityReport& report);
/// One page that needs nothing else: no script, no address of another host.
std::string report_html(const QualityReport& report);

/// Text that may stand between tags and in attributes of XML and HTML; control characters that XML
/// has no way to say become U+FFFD, and so do bytes that are not UTF-8.
std::string markup_text(std::string_view text);

}  // namespace coeval::quality
