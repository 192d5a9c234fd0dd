#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace coeval::training {

// A model card before it is drawn: what it says, not how it looks. Every text is plain, whoever
// wrote it; the two ways to draw it escape what they must.

/// A piece of a line, or what stands in a table's cell.
struct CardText {
  enum class Kind : std::uint8_t { plain, code, number, passed, failed };
  std::string text;
  Kind kind = Kind::plain;
};
CardText code(std::string text);
CardText number(std::string text);

struct CardParagraph {
  std::vector<CardText> pieces;
};
/// What a person wrote, line by line.
struct CardQuote {
  std::vector<std::string> lines;
};
struct CardList {
  std::vector<std::string> items;
};
/// The first cell of a row names it.
struct CardTable {
  std::string caption;
  std::vector<CardText> columns;  ///< a number's column stands to the right
  std::vector<std::vector<CardText>> rows;
};
/// A chart as SVG (model_card_plots.h), escaped already. Markdown leaves it out.
struct CardPlot {
  std::string title, svg;
  bool wide = false;
};
using CardBlock = std::variant<CardParagraph, CardQuote, CardList, CardTable, CardPlot>;

struct CardSection {
  std::string title;
  std::vector<CardBlock> blocks;
};

struct CardDocument {
  std::string title, subtitle;
  CardText verdict;                                           ///< of the gates
  std::vector<std::pair<std::string, std::string>> headline;  ///< the numbers that matter most
  std::vector<CardSection> sections;
};

/// One page that needs nothing else: no script, no address of another host; readable in light and
/// dark, on paper and aloud.
std::string card_html(const CardDocument& card);
/// GitHub's Markdown, with the same words and tables, without the charts.
std::string card_markdown(const CardDocument& card);

/// Text that means nothing to Markdown, on one line: no emphasis, link, HTML, or table's bar.
std::string markdown_text(std::string_view text);

}  // namespace coeval::training
