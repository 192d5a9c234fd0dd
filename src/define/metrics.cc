#include "define/metrics.h"

#include <map>

namespace coeval::define {

std::string_view name(Metric::Kind kind) {
  switch (kind) {
    case Metric::Kind::sum:
      return "sum";
    case Metric::Kind::mean:
      return "mean";
    case Metric::Kind::proportion:
      return "proportion";
    case Metric::Kind::ratio:
      return "ratio";
  }
  return "mean";
}

std::string metric_ir(const Metric& metric) {
  std::string text = "  metric " + metric.name + " " + std::string(name(metric.kind)) + " of " +
                     canonical(*metric.value);
  if (metric.divisor) text += " by " + canonical(*metric.divisor);
  return text + (metric.higher_is_better ? " higher" : " lower") + "\n";
}

std::vector<data::Field> columns_of(const std::vector<Metric>& metrics) {
  std::map<std::string, data::Field> by_name;
  for (const Metric& metric : metrics)
    for (std::size_t i = metric.answer_columns; i < metric.schema.fields.size(); ++i)
      by_name.emplace(metric.schema.fields[i].name, metric.schema.fields[i]);
  std::vector<data::Field> fields;
  for (auto& [name, field] : by_name) fields.push_back(std::move(field));
  return fields;
}

}  // namespace coeval::define
