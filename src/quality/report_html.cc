// The page of a report. Everything is in the text itself: one style sheet, charts as SVG, details
// that open without a script.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/time.h"
#include "quality/page_style.h"
#include "quality/proposal.h"
#include "quality/report.h"

namespace coeval::quality {

namespace {

using Status = RuleResult::Status;

std::string short_number(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4);
  return {text.data(), end.ptr};
}

std::string fixed(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1);
  return {text.data(), end.ptr};
}

std::string tile(const std::string& title, const std::string& value) {
  return "<div class=\"tile\"><span class=\"soft\">" + markup_text(title) + "</span><b>" +
         markup_text(value) + "</b></div>\n";
}

std::string badge(Status status, const std::string& text) {
  const std::string kind = status == Status::not_evaluated ? "unknown" : std::string(name(status));
  return "<span class=\"badge " + kind + "\">" + markup_text(text) + "</span>";
}

struct Bar {
  double from, to, height;  // x in 0 … 1
  std::string title;
};

// Bars over a line, with what stands at its ends below.
std::string bars(const std::vector<Bar>& list, double aspect, const std::string& left,
                 const std::string& right) {
  constexpr double kWidth = 600;
  const double height = kWidth * aspect, base = height - 16;
  double most = 0;
  for (const Bar& bar : list) most = std::max(most, bar.height);
  std::string out = "<svg viewBox=\"0 0 600 " + fixed(height) + "\" role=\"img\">";
  for (const Bar& bar : list) {
    if (bar.height <= 0) continue;
    const double tall = std::max(1.0, bar.height / most * (base - 4));
    const double wide = std::max(0.8, (bar.to - bar.from) * kWidth - 1);
    out += "<rect x=\"" + fixed(bar.from * kWidth) + "\" y=\"" + fixed(base - tall) +
           "\" width=\"" + fixed(wide) + "\" height=\"" + fixed(tall) + "\"><title>" +
           markup_text(bar.title) + "</title></rect>";
  }
  out += "<text x=\"0\" y=\"" + fixed(height - 3) + "\">" + markup_text(left) +
         "</text><text x=\"600\" y=\"" + fixed(height - 3) + "\" text-anchor=\"end\">" +
         markup_text(right) + "</text></svg>";
  return out;
}

std::string histogram(const ColumnSummary& column) {
  const auto& list = column.histogram;
  const double least = list.front().from, width = list.back().to - least;
  std::vector<Bar> out;
  for (const ProfileBin& bar : list) {
    const std::string title = number_text(bar.from, column.type) + " to " +
                              number_text(bar.to, column.type) + ": " + with_separators(bar.count);
    const auto place = [&](double value, double otherwise) {
      return width > 0 ? (value - least) / width : otherwise;
    };
    out.push_back({place(bar.from, 0), place(bar.to, 1), static_cast<double>(bar.count), title});
  }
  return bars(out, 0.22, number_text(least, column.type), number_text(list.back().to, column.type));
}

std::string entry(const std::string& name, const std::string& value) {
  return "<dt>" + markup_text(name) + "</dt><dd>" + markup_text(value) + "</dd>";
}

std::string top_values(const ColumnSummary& column) {
  std::string out = "<dl>";
  for (std::size_t i = 0; i < std::min<std::size_t>(6, column.top_values.size()); ++i) {
    const ProfileValue& top = column.top_values[i];
    out += "<dt><code>" + markup_text(data::to_text(top.value, column.type)) + "</code></dt><dd>" +
           with_separators(top.count) + "</dd>";
  }
  return out + "</dl>";
}

std::string values_of(const ColumnSummary& column) {
  std::string out;
  const auto number = [&](const char* name, const std::optional<double>& value) {
    if (value) out += entry(name, number_text(*value, column.type));
  };
  if (!data::is_null(column.min))
    out += entry("range", data::to_text(column.min, column.type) + " to " +
                              data::to_text(column.max, column.type));
  number("mean", column.mean);
  if (column.deviation) out += entry("deviation", deviation_text(*column.deviation, column.type));
  for (const ProfileQuantile& quantile : column.quantiles)
    if (quantile.p == 0.05 || quantile.p == 0.5 || quantile.p == 0.95)
      out += entry(std::to_string(static_cast<int>(quantile.p * 100)) + " %",
                   number_text(quantile.value, column.type));
  if (column.zeros > 0) out += entry("zeros", with_separators(column.zeros));
  if (column.negatives > 0) out += entry("negative", with_separators(column.negatives));
  const std::int64_t not_finite = column.nans + column.plus_infinities + column.minus_infinities;
  if (not_finite > 0) out += entry("not finite", with_separators(not_finite));
  if (column.text && !column.text->patterns.empty())
    out += entry("shape", column.text->patterns.front().shape);
  return out;
}

std::string column_card(const ReportedColumn& reported) {
  const ColumnSummary& column = reported.summary;
  std::string out = "<section class=\"card\"><h3>" + markup_text(column.name) +
                    " <span class=\"soft\">" + markup_text(data::name(column.type)) +
                    "</span></h3>";
  if (reported.pii) out += "<p class=\"soft\">personal: its values are not shown</p>";
  const bool texts = column.histogram.empty();
  if (!reported.pii && !texts) out += histogram(column);
  if (!reported.pii && texts && !column.top_values.empty()) out += top_values(column);
  out +=
      "<dl>" +
      entry("nulls", with_separators(column.nulls) + " of " + with_separators(column.rows)) +
      entry("distinct", (column.distinct_exact ? "" : "about ") + with_separators(column.distinct));
  if (!reported.pii) out += values_of(column);
  if (column.text)
    out += entry("length", with_separators(column.text->min_length) + " to " +
                               with_separators(column.text->max_length));
  return out + "</dl></section>\n";
}

std::string samples(const RuleResult& rule) {
  if (rule.samples.empty()) return {};
  std::string out = "<details><summary>" + std::to_string(rule.samples.size()) + " of " +
                    with_separators(rule.rows_count) + " rows</summary><table><tbody>";
  for (const SampleRow& row : rule.samples)
    out += "<tr><td><code>" + markup_text(place_text(row)) + "</code></td><td>" +
           markup_text(row.observed) + "</td><td><code>" + markup_text(row.raw) +
           "</code></td></tr>";
  return out + "</tbody></table></details>";
}

int rank(Status status) { return status == Status::passed ? 2 : status == Status::warned ? 1 : 0; }

std::string rule_table(const QualityReport& report) {
  std::vector<const RuleResult*> rules;
  for (const RuleResult& rule : report.rules) rules.push_back(&rule);
  std::ranges::stable_sort(rules, {}, [](const RuleResult* rule) { return rank(rule->status); });
  std::string out =
      "<div class=\"card\"><table><thead><tr><th></th><th>rule</th><th>expected</th><th>observed"
      "</th><th class=\"number\">rows</th></tr></thead><tbody>\n";
  for (const RuleResult* rule : rules)
    out += "<tr><td>" + badge(rule->status, std::string(name(rule->status))) + "</td><td><code>" +
           markup_text(rule->name) + "</code></td><td>" + markup_text(rule->expected) +
           "</td><td>" + markup_text(rule->observed) + samples(*rule) +
           "</td><td class=\"number\">" +
           (rule->rows_count > 0 ? with_separators(rule->rows_count) : "–") + "</td></tr>\n";
  return out + "</tbody></table></div>\n";
}

std::string time_charts(const TimeCounts& times) {
  const auto stretches = times.stretches();
  if (stretches.empty()) return {};
  const double begin = static_cast<double>(stretches.front().begin_us);
  const auto length = static_cast<double>(times.length_us());
  const double width = static_cast<double>(stretches.back().begin_us) + length - begin;
  std::vector<Bar> volume, delay;
  for (const TimeCounts::Stretch& one : stretches) {
    const double from = (static_cast<double>(one.begin_us) - begin) / width;
    const double to = from + length / width;
    const std::string when = format_time(one.begin_us);
    volume.push_back({from, to, static_cast<double>(one.rows),
                      when + ": " + with_separators(one.rows) + " rows"});
    delay.push_back({from, to, std::max(0.0, one.mean_delay_s()),
                     when + ": known after " + short_number(one.mean_delay_s()) + " s on average"});
  }
  const std::string left = format_time(stretches.front().begin_us),
                    right = format_time(stretches.back().begin_us),
                    each = format_duration(times.length_us());
  return "<h2>Volume and freshness</h2><div class=\"cards\" style=\"grid-template-columns:repeat("
         "auto-fit,minmax(24rem,1fr))\"><section class=\"card\"><h3>Rows per " +
         markup_text(each) + " of event time</h3>" + bars(volume, 0.3, left, right) +
         "</section><section class=\"card\"><h3>From event to known, mean</h3>" +
         bars(delay, 0.3, left, right) + "</section></div>\n";
}

std::string files_table(const QualityReport& report) {
  if (report.files.empty()) return {};
  std::string out =
      "<h2>Files</h2><div class=\"card\"><table><thead><tr><th>file</th><th>sha256</th><th "
      "class=\"number\">read</th><th class=\"number\">accepted</th><th class=\"number\">quarantined"
      "</th><th class=\"number\">duplicates</th><th>verdict</th></tr></thead><tbody>\n";
  for (const ReportedFile& file : report.files) {
    out += "<tr><td><code>" + markup_text(file.path) + "</code></td><td><code>" +
           markup_text(file.sha256.substr(0, 12)) + "</code></td>";
    for (const std::int64_t count :
         {file.counts.read, file.counts.accepted, file.counts.quarantined, file.counts.duplicates})
      out += "<td class=\"number\">" + with_separators(count) + "</td>";
    out += "<td>" + markup_text(file.verdict) + "</td></tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string personal_list(const std::vector<PersonalColumn>& columns) {
  if (columns.empty()) return {};
  std::string out = "<h2>Columns that look personal</h2><div class=\"card\">";
  for (const PersonalColumn& column : columns)
    out +=
        "<p>" + badge(Status::warned, "untagged") + " <code>" + markup_text(column.column) +
        "</code> looks like " + std::string(name(column.kind)) + " in " +
        std::to_string(column.alike) + " of " + std::to_string(column.looked) +
        " values: tag it with <code>pii = true</code>, or with <code>pii = false</code> if it is "
        "none.</p>";
  return out + "</div>\n";
}

std::string note_list(const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  std::string out = "<h2>Notes</h2><div class=\"card\">";
  for (const std::string& note : notes)
    out += "<p>" + badge(Status::warned, "note") + " " + markup_text(note) + "</p>";
  return out + "</div>\n";
}

std::string verdict(const QualityReport& report) {
  if (report.failed()) return badge(Status::failed, "failed");
  if (report.count(Status::warned) > 0) return badge(Status::warned, "passed with warnings");
  return badge(Status::passed, "passed");
}

}  // namespace

std::string report_html(const QualityReport& report) {
  const std::string title = markup_text(report.project + " · " + report.source);
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>" +
      title + "</title><style>" + std::string(kPageStyle) +
      "</style></head><body><main>\n<header><h1>" + title + "</h1>" + verdict(report) +
      "<div class=\"soft\">definition <code>" + markup_text(report.ir_hash.substr(0, 12)) +
      "</code> · schema <code>" + markup_text(report.schema_version) + "</code>" +
      (report.made_at_us ? " · " + markup_text(format_time(*report.made_at_us)) : "") +
      "</div></header>\n<div class=\"tiles\">";
  out += tile("read", with_separators(report.counts.read)) +
         tile("accepted", with_separators(report.counts.accepted)) +
         tile("quarantined", with_separators(report.counts.quarantined)) +
         tile("duplicates", with_separators(report.counts.duplicates)) +
         tile("rules passed", with_separators(report.count(Status::passed)) + " of " +
                                  with_separators(static_cast<std::int64_t>(report.rules.size())));
  out += "</div>\n" + personal_list(report.personal) + note_list(report.notes);
  if (!report.rules.empty()) out += "<h2>Rules</h2>" + rule_table(report);
  out += time_charts(report.times);
  if (!report.columns.empty()) {
    out += "<h2>Columns</h2><div class=\"cards\">\n";
    for (const ReportedColumn& column : report.columns) out += column_card(column);
    out += "</div>\n";
  }
  return out + files_table(report) + "</main></body></html>\n";
}

}  // namespace coeval::quality
