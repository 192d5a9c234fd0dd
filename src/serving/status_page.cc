#include "serving/status_page.h"

#include "base/time.h"
#include "serving/routes.h"

namespace coeval::serving {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>coeval</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ddd}
code,pre{font:14px ui-monospace,monospace}
pre{background:#f4f4f4;padding:.8rem;overflow-x:auto}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}pre{background:#262626}a{color:#8bf}}
</style></head><body>
)";

std::string row(std::string_view name, const std::string& value) {
  return "<tr><th scope=\"row\">" + html_text(name) + "</th><td>" + html_text(value) +
         "</td></tr>\n";
}

std::string example_value(const data::Field& field) {
  if (data::is_list(field.type)) return "[0.5, …]";
  switch (field.type) {
    case data::Type::string:
      return "\"…\"";
    case data::Type::boolean:
      return "true";
    case data::Type::timestamp:
      return "\"2001-06-01T12:30:00Z\"";
    case data::Type::date:
      return "\"2001-06-01\"";
    default:
      return "1";
  }
}

std::string example_question(const Overview::Model& model, std::string_view address) {
  std::string json;
  for (const data::Field& field : model.question.fields) {
    json += (json.empty() ? "{\"" : ", \"") + field.name + "\": " + example_value(field);
  }
  return "curl -s 'http://" + std::string(address) + "/v1/predict/" + model.name + "' -d '" + json +
         "}'";
}

std::string model_rows(const Overview& overview) {
  std::string html;
  for (const Overview::Model& model : overview.models) {
    html += "<tr><td>" + html_text(model.name) + "</td><td>v" + std::to_string(model.version) +
            "</td><td>" + (model.problem.empty() ? "ready" : html_text(model.problem)) +
            "</td><td><code>" + html_text(model.bits_id.substr(0, 12)) + "</code></td></tr>\n";
  }
  for (const auto& [name, reason] : overview.absent) {
    html += "<tr><td>" + html_text(name) + "</td><td>–</td><td>" + html_text(reason) +
            "</td><td></td></tr>\n";
  }
  return html;
}

std::string models_section(const Overview& overview, std::string_view address) {
  if (overview.models.empty() && overview.absent.empty()) {
    return "<h2>Models</h2><p>The definition has none.</p>\n";
  }
  std::string html =
      "<h2>Models</h2><table><tr><th>name</th><th>version</th><th>state</th><th>bits</th></tr>\n" +
      model_rows(overview) + "</table>\n";
  if (overview.models.empty()) return html;
  html += "<p>Ask one:</p><pre>";
  for (const Overview::Model& model : overview.models)
    html += html_text(example_question(model, address)) + "\n";
  return html + "</pre>\n";
}

std::string views_section(const Overview& overview) {
  std::string html =
      "<h2>State</h2><table><tr><th>view</th><th>entities</th><th>events held</th></tr>\n";
  for (const Overview::View& view : overview.views) {
    html += "<tr><td>" + html_text(view.name) + "</td><td>" + std::to_string(view.entities) +
            "</td><td>" + std::to_string(view.events) + "</td></tr>\n";
  }
  return html + "</table>\n";
}

std::string addresses_section() {
  std::string html = "<h2>Addresses</h2><table>\n";
  for (const Route& route : routes()) {
    const bool link = route.method == "GET" && route.path.find('{') == std::string_view::npos;
    const std::string path = html_text(route.path);
    html += "<tr><td>" + std::string(route.method) + "</td><td><code>" +
            (link ? "<a href=\"" + path + "\">" + path + "</a>" : path) + "</code></td></tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string status_page(const Overview& overview, std::string_view address) {
  std::string html(kHead);
  html += "<h1>coeval: " + html_text(overview.project) + "</h1>\n";
  html +=
      "<p>A feature and model server. What a model was trained on is what it is served, bit for "
      "bit; "
      "<code>coeval audit</code> checks it.</p>\n<table>\n";
  html += row("log position", std::to_string(overview.log_position));
  html += row("newest known time", overview.last_known_us == INT64_MIN
                                       ? "nothing known yet"
                                       : format_time(overview.last_known_us));
  html += row("clock", overview.data_clock ? "the data's own (replay)" : "the machine's");
  html += row("log", overview.writable ? "writable"
                                       : "cannot be written: events and predictions are refused");
  html += row("definition", overview.ir_hash.substr(0, 12));
  html += "</table>\n";
  html += models_section(overview, address) + views_section(overview) + addresses_section();
  return html + "</body></html>\n";
}

}  // namespace coeval::serving
