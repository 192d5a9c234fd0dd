#include "quality/report.h"

#include <doctest/doctest.h>

namespace coeval::quality {
namespace {

using Status = RuleResult::Status;

QualityReport flights() {
  QualityReport report;
  report.project = "flights";
  report.source = "flights";
  report.ir_hash = "0123456789abcdef";
  report.schema_version = "deadbeef";
  report.counts = {100, 97, 2, 1};
  report.files = {{"a.csv", "ff00", {100, 97, 2, 1}, "published"}};
  report.rules = {
      {"delay.min",
       "row",
       "delay must be at least -120",
       "2 rows",
       Status::failed,
       2,
       {{"a.csv", 7, "delay must be at least -120, found -185", R"({"delay":-185,"x":"<b>"})"}}},
      {"origin.pattern", "row", "origin must match [A-Z]{3}", "", Status::passed, 0, {}},
      {"checks.level", "batch", "mean(delay) from -5 to 60", "61.5", Status::warned, 0, {}},
      {"checks.drift",
       "distribution",
       "psi(delay) at most 0.2",
       "no reference file",
       Status::not_evaluated,
       0,
       {}}};
  ColumnSummary delay;
  delay.name = "delay";
  delay.type = data::Type::int32;
  delay.rows = 97;
  delay.nulls = 3;
  delay.mean = 6.125;
  delay.histogram = {{0, 16, 90}, {16, 32, 4}};
  ColumnSummary mail;
  mail.name = "mail";
  mail.type = data::Type::string;
  mail.rows = 97;
  mail.top_values = {{std::string("ada@example.org"), 1}};
  mail.min = std::string("ada@example.org");
  report.columns = {{delay, false}, {mail, true}};
  for (int i = 0; i < 97; ++i)
    report.times.add(i * 3'600'000'000LL, i * 3'600'000'000LL + 60'000'000);
  report.personal = {{"mail2", PersonalKind::email, 95, 97}};
  return report;
}

void has(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, part << "\nis not in\n" << text);
}
void has_not(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) == std::string::npos, part << "\nis in\n" << text);
}

TEST_CASE("a report fails by rules that failed, and by those that nobody could evaluate") {
  QualityReport report = flights();
  CHECK(report.failed());
  report.rules[0].status = Status::passed;
  CHECK(report.failed());
  report.rules[3].status = Status::passed;
  CHECK_FALSE(report.failed());  // a warning is none
  CHECK(report.count(Status::warned) == 1);
}

TEST_CASE("the text names what did not pass") {
  const std::string text = report_text(flights());
  has(text, "100 read = 97 accepted + 2 quarantined + 1 duplicates");
  has(text, "FAIL delay.min: delay must be at least -120; 2 rows");
  has(text, "such as a.csv:7: delay must be at least -120, found -185");
  has(text, "warn checks.level: mean(delay) from -5 to 60; 61.5");
  has(text, "FAIL checks.drift");
  has(text, "column 'mail2' looks like an e-mail address (95 of 97 values)");
  has(text, "1 rules passed, 1 warned, 1 failed, 1 could not be evaluated");
  has_not(text, "origin.pattern");
  has(report_text(flights(), 1), "… and 2 more rules");
}

TEST_CASE("JSON has everything, as its own numbers") {
  const data::Json json = *data::parse_json(report_json(flights()).dump());
  CHECK(*json.find("failed")->boolean());
  CHECK(*json.find("counts")->find("quarantined_count")->integer() == 2);
  const auto& rules = *json.find("rules")->array();
  REQUIRE(rules.size() == 4);
  CHECK(*rules[0].find("status")->string() == "failed");
  CHECK(*rules[0].find("samples")->array()->at(0).find("row")->integer() == 7);
  CHECK(*json.find("columns")
             ->array()
             ->at(0)
             .find("histogram")
             ->array()
             ->at(1)
             .find("count")
             ->integer() == 4);
  CHECK(*json.find("columns")->array()->at(1).find("pii")->boolean());
  has_not(report_json(flights()).dump(), "ada@example.org");
  CHECK(json.find("times")->find("stretches")->array()->size() == 97);
  CHECK(*json.find("personal")->array()->at(0).find("column")->string() == "mail2");
  CHECK(json.find("made_at") == nullptr);  // no clock but the caller's
}

TEST_CASE("JUnit: a test case a rule; failures and errors are told apart") {
  const std::string xml = report_junit(flights());
  has(xml, "<testsuite name=\"flights.flights\" tests=\"4\" failures=\"1\" errors=\"1\"");
  has(xml, "<testcase name=\"origin.pattern\" classname=\"flights.flights\"/>");
  has(xml, "<failure message=\"delay must be at least -120; 2 rows\">a.csv:7:");
  has(xml, "<error message=\"psi(delay) at most 0.2; no reference file\">");
  has(xml, "<system-out>warning: mean(delay)");
}

TEST_CASE("the page needs nothing else, and shows nothing as markup that is data") {
  const std::string html = report_html(flights());
  has(html, "&lt;b&gt;");
  has_not(html, "<b>\"");
  has_not(html, "<script");
  has_not(html, "http://");
  has_not(html, "https://");
  has_not(html, "ada@example.org");  // of a personal column
  has(html, "<svg");
  has(html, "6.125");
  has(html, ">failed</span>");
  CHECK(html == report_html(flights()));
}

TEST_CASE("text that XML cannot say becomes a mark") {
  CHECK(markup_text("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(markup_text(std::string_view("\0\x1b\xff\n\t", 5)) ==
        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n\t");
  CHECK(markup_text("\xEF\xBF\xBE") == "\xEF\xBF\xBD");
  CHECK(markup_text("é€") == "é€");
}

}  // namespace
}  // namespace coeval::quality
