#include <cstddef>

#include "quality/page_style.h"
#include "quality/report.h"
#include "training/model_card_document.h"

namespace coeval::training {
namespace {

using Kind = CardText::Kind;
using quality::markup_text;

// What a card needs beyond the style of all our pages.
constexpr std::string_view kCardStyle = R"css(
tbody th{font-weight:400}
p{margin:.5rem 0;max-width:48rem;overflow-wrap:anywhere}
ul{margin:.5rem 0;padding-left:1.2rem;max-width:48rem}li{margin:.25rem 0;overflow-wrap:anywhere}
blockquote{margin:.75rem 0;padding:.1rem 1rem;border-left:3px solid var(--line);color:var(--soft)}
caption{text-align:left;color:var(--soft);font-size:.87rem;padding-bottom:.4rem}
.card{margin:.75rem 0}
.card tbody th,.card td{min-width:4.5rem;max-width:34rem;overflow-wrap:anywhere}
.number{white-space:nowrap}.card .number+:not(.number){padding-left:1.2rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:.75rem;margin:.75rem 0}
.plots figure{margin:0}.plots .wide{grid-column:1/-1}
figcaption{font-weight:600;margin-bottom:.4rem}
svg .axis{stroke:var(--line);stroke-width:1;fill:none}
svg .guide{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 4;fill:none}
svg .curve{stroke:var(--ink);stroke-width:2;fill:none;stroke-linejoin:round}
svg circle{fill:var(--ink)}svg .mark{fill:var(--bad)}
svg .first{fill:var(--ink);fill-opacity:.5}svg .second{fill:var(--warn);fill-opacity:.55}
svg text.name{fill:var(--text)}
@media(prefers-color-scheme:dark){.badge{color:#14181f}}
@media print{
:root{--text:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#fff;--ink:#3b6fd4;--good:#12805c;--warn:#b25e09;--bad:#c4320a}
main{max-width:none;padding:0}.card,.tile,figure,tr{break-inside:avoid}h2{break-after:avoid}
.badge{color:#fff;-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
)css";

std::string piece(const CardText& text) {
  const std::string escaped = markup_text(text.text);
  switch (text.kind) {
    case Kind::code:
      return "<code>" + escaped + "</code>";
    case Kind::passed:
      return "<span class=\"badge passed\">" + escaped + "</span>";
    case Kind::failed:
      return "<span class=\"badge failed\">" + escaped + "</span>";
    case Kind::plain:
    case Kind::number:
      break;
  }
  return escaped;
}

std::string number_class(const CardText& text) {
  return text.kind == Kind::number ? " class=\"number\"" : "";
}

std::string draw(const CardParagraph& paragraph) {
  std::string out = "<p>";
  for (const CardText& text : paragraph.pieces) out += piece(text);
  return out + "</p>\n";
}

std::string draw(const CardQuote& quote) {
  std::string out = "<blockquote><p>";
  for (std::size_t i = 0; i < quote.lines.size(); ++i)
    out += (i > 0 ? "<br>" : "") + markup_text(quote.lines[i]);
  return out + "</p></blockquote>\n";
}

std::string draw(const CardList& list) {
  std::string out = "<ul>\n";
  for (const std::string& item : list.items) out += "<li>" + markup_text(item) + "</li>\n";
  return out + "</ul>\n";
}

std::string draw(const CardTable& table) {
  std::string out = "<div class=\"card\"><table>";
  if (!table.caption.empty()) out += "<caption>" + markup_text(table.caption) + "</caption>";
  out += "<thead><tr>";
  for (const CardText& column : table.columns)
    out += "<th scope=\"col\"" + number_class(column) + ">" + markup_text(column.text) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += (i == 0 ? "<th scope=\"row\"" : "<td") + number_class(row[i]) + ">" + piece(row[i]) +
             (i == 0 ? "</th>" : "</td>");
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string draw(const CardPlot& plot) {
  return std::string("<figure class=\"card") + (plot.wide ? " wide" : "") + "\"><figcaption>" +
         markup_text(plot.title) + "</figcaption>" + plot.svg + "</figure>\n";
}

// Charts that follow one another stand side by side.
std::string draw(const CardSection& section) {
  std::string out = "<section><h2>" + markup_text(section.title) + "</h2>\n";
  bool in_plots = false;
  for (const CardBlock& block : section.blocks) {
    const bool plot = std::holds_alternative<CardPlot>(block);
    if (plot && !in_plots) out += "<div class=\"plots\">\n";
    if (!plot && in_plots) out += "</div>\n";
    in_plots = plot;
    out += std::visit([](const auto& each) { return draw(each); }, block);
  }
  return out + (in_plots ? "</div>\n" : "") + "</section>\n";
}

}  // namespace

CardText code(std::string text) { return {std::move(text), Kind::code}; }
CardText number(std::string text) { return {std::move(text), Kind::number}; }

std::string card_html(const CardDocument& card) {
  const std::string title = markup_text(card.title);
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>" +
      title + "</title><style>" + std::string(quality::kPageStyle) + std::string(kCardStyle) +
      "</style></head><body><main>\n<header><h1>" + title + "</h1>" + piece(card.verdict) +
      "<div class=\"soft\">" + markup_text(card.subtitle) +
      "</div></header>\n<div class=\"tiles\">\n";
  for (const auto& [name, value] : card.headline)
    out += "<div class=\"tile\"><span class=\"soft\">" + markup_text(name) + "</span><b>" +
           markup_text(value) + "</b></div>\n";
  out += "</div>\n";
  for (const CardSection& section : card.sections) out += draw(section);
  return out + "</main></body></html>\n";
}

}  // namespace coeval::training
