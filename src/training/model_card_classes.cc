#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "training/model_card_parts.h"

namespace coeval::training {

using data::Json;

namespace {

constexpr std::size_t kMostClasses = 20;

// The classes of a part, those with most rows first, and how many are left out.
std::vector<std::size_t> classes_by_rows(const Json& test, std::size_t classes) {
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  const Json* list = test.find("classes");
  if (list == nullptr || list->array() == nullptr || list->array()->size() != classes) return {};
  for (std::size_t i = 0; i < classes; ++i)
    order.emplace_back(count_of((*list->array())[i], "rows").value_or(0), i);
  std::ranges::stable_sort(order, std::greater<>(), &std::pair<std::int64_t, std::size_t>::first);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < std::min(classes, kMostClasses); ++i)
    places.push_back(order[i].second);
  return places;
}

std::string of_so_many(std::size_t shown, std::size_t all) {
  if (shown >= all) return {};
  return ", " + std::to_string(shown) + " of " + std::to_string(all) + " classes";
}

}  // namespace

CardTable classes_table(const Json& test, const std::vector<std::string>& classes) {
  const auto places = classes_by_rows(test, classes.size());
  CardTable table{
      "Each class against the others, test part" + of_so_many(places.size(), classes.size()),
      {{"class"},
       number("rows"),
       number("precision"),
       number("recall"),
       number("F1"),
       number("AUC")},
      {}};
  for (const std::size_t place : places) {
    const Json& each = (*test.find("classes")->array())[place];
    table.rows.push_back({code(classes[place]), number(count_text(each, "rows")),
                          number(metric_text(each, "precision")),
                          number(metric_text(each, "recall")), number(metric_text(each, "f1")),
                          number(metric_text(each, "auc"))});
  }
  return table;
}

CardTable decided_table(const Json& test, const std::vector<std::string>& classes) {
  const auto places = classes_by_rows(test, classes.size());
  CardTable table{"Rows of each class by what was decided, test part" +
                      of_so_many(places.size(), classes.size()),
                  {{"class"}},
                  {}};
  for (const std::size_t as : places) table.columns.push_back(number(classes[as]));
  for (const std::size_t place : places) {
    auto& row = table.rows.emplace_back(std::vector<CardText>{code(classes[place])});
    const Json* decided = (*test.find("classes")->array())[place].find("decided");
    for (const std::size_t as : places) {
      const bool known = decided != nullptr && decided->array() != nullptr &&
                         as < decided->array()->size() && (*decided->array())[as].integer();
      row.push_back(known ? count(*(*decided->array())[as].integer()) : number("–"));
    }
  }
  return table;
}

}  // namespace coeval::training
