#include "models/linear_model.h"

#include <cmath>
#include <set>
#include <utility>

#include "base/check.h"
#include "data/json.h"
#include "exact/maths.h"

namespace coeval::models {
namespace {

using data::Json;

constexpr std::string_view kBeginning = R"({"format":"coeval linear")";
constexpr std::int64_t kVersion = 1;
/// Far above any number of a fitted model, and far below where a sum of products would overflow.
constexpr double kMostSize = 1e200;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr const char* kAdvice = "the file is damaged; take it from its source again";

std::unexpected<Error> bad(const std::string& what) {
  return fail(Code::bad_model, "linear model: " + what, kAdvice);
}

bool is_sound(double number) { return std::abs(number) <= kMostSize; }

Status check_term(const LinearTerm& term) {
  const std::string what = "the column '" + term.name + "'";
  for (const double number : {term.mean, term.coefficient, term.missing, term.average})
    if (!is_sound(number)) return bad(what + " has a number that is not finite or too large");
  for (const double number : term.coefficients)
    if (!is_sound(number)) return bad(what + " has a coefficient that is not finite or too large");
  const bool has_other =
      term.categorical ? term.coefficient != 0 || term.mean != 0 : !term.coefficients.empty();
  if (has_other) return bad(what + " has coefficients of the other kind");
  return {};
}

const Json* member(const Json& json, std::string_view name) {
  return json.object() == nullptr ? nullptr : json.find(name);
}

Result<double> number_of(const Json& json, const std::string& what) {
  if (const double* real = json.real()) return *real;
  if (const std::int64_t* whole = json.integer()) return static_cast<double>(*whole);
  return bad(what + " is not a number");
}

Result<double> number_in(const Json& json, std::string_view name) {
  const Json* found = member(json, name);
  if (found == nullptr) return bad("'" + std::string(name) + "' is absent");
  return number_of(*found, "'" + std::string(name) + "'");
}

Result<std::string> text_in(const Json& json, std::string_view name) {
  const Json* found = member(json, name);
  if (found == nullptr || found->string() == nullptr)
    return bad("'" + std::string(name) + "' is not a string");
  return *found->string();
}

Result<LinearTerm> term_from(const Json& json) {
  LinearTerm term;
  COEVAL_ASSIGN(term.name, text_in(json, "name"));
  COEVAL_ASSIGN(const std::string kind, text_in(json, "kind"));
  COEVAL_ASSIGN(term.missing, number_in(json, "missing"));
  COEVAL_ASSIGN(term.average, number_in(json, "average"));
  if (kind == "number") {
    COEVAL_ASSIGN(term.mean, number_in(json, "mean"));
    COEVAL_ASSIGN(term.coefficient, number_in(json, "coefficient"));
    return term;
  }
  if (kind != "category") return bad("the column '" + term.name + "' is of kind '" + kind + "'");
  term.categorical = true;
  const Json* all = member(json, "coefficients");
  if (all == nullptr || all->array() == nullptr)
    return bad("'coefficients' of '" + term.name + "' is not an array");
  for (const Json& each : *all->array()) {
    COEVAL_ASSIGN(const double number, number_of(each, "a coefficient of '" + term.name + "'"));
    term.coefficients.push_back(number);
  }
  return term;
}

Json to_json(const LinearTerm& term) {
  Json json;
  json.set("name", term.name);
  json.set("kind", term.categorical ? "category" : "number");
  if (term.categorical) {
    json.set("coefficients", Json::Array(term.coefficients.begin(), term.coefficients.end()));
  } else {
    json.set("mean", term.mean);
    json.set("coefficient", term.coefficient);
  }
  json.set("missing", term.missing);
  json.set("average", term.average);
  return json;
}

Result<LinearFit> fit_from(const Json& json) {
  const Json* found = member(json, "fit");
  if (found == nullptr) return bad("'fit' is absent");
  LinearFit fit;
  COEVAL_ASSIGN(fit.l1, number_in(*found, "l1"));
  COEVAL_ASSIGN(fit.l2, number_in(*found, "l2"));
  COEVAL_ASSIGN(fit.gap, number_in(*found, "gap"));
  const Json* iterations = member(*found, "iterations");
  const Json* converged = member(*found, "converged");
  if (iterations == nullptr || iterations->integer() == nullptr || *iterations->integer() < 0 ||
      *iterations->integer() > INT32_MAX)
    return bad("'iterations' is not a count");
  if (converged == nullptr || converged->boolean() == nullptr)
    return bad("'converged' is not true or false");
  fit.iterations = static_cast<int>(*iterations->integer());
  fit.converged = *converged->boolean();
  return fit;
}

Json to_json(const LinearFit& fit) {
  Json json;
  json.set("l1", fit.l1);
  json.set("l2", fit.l2);
  json.set("iterations", fit.iterations);
  json.set("converged", fit.converged);
  json.set("gap", fit.gap);
  return json;
}

Status check_version(const Json& json) {
  const Json* version = member(json, "version");
  if (version == nullptr || version->integer() == nullptr) return bad("'version' is not a number");
  if (*version->integer() == kVersion) return {};
  return fail(Code::unsupported,
              "linear model: version " + std::to_string(*version->integer()) +
                  " of the format, this program reads version " + std::to_string(kVersion),
              "load it with the version of coeval that wrote it");
}

Result<LinearLink> link_from(const Json& json) {
  const Json* link = member(json, "link");
  if (link == nullptr || link->string() == nullptr) return bad("'link' is not a string");
  if (*link->string() == "logistic") return LinearLink::logistic;
  if (*link->string() == "identity") return LinearLink::identity;
  return bad("the link '" + *link->string() + "' is not known");
}

Result<LinearParts> parts_from(const Json& json) {
  LinearParts parts;
  COEVAL_TRY(check_version(json));
  COEVAL_ASSIGN(parts.link, link_from(json));
  COEVAL_ASSIGN(parts.intercept, number_in(json, "intercept"));
  const Json* columns = member(json, "columns");
  if (columns == nullptr || columns->array() == nullptr) return bad("'columns' is not an array");
  for (const Json& column : *columns->array()) {
    COEVAL_ASSIGN(LinearTerm term, term_from(column));
    parts.terms.push_back(std::move(term));
  }
  COEVAL_ASSIGN(parts.fit, fit_from(json));
  return parts;
}

// In [0, 1], and without overflow on either side.
double logistic(double margin) {
  if (margin >= 0) return 1 / (1 + exact::exp(-margin));
  const double odds = exact::exp(margin);
  return odds / (1 + odds);
}

}  // namespace

double add_of(const LinearTerm& term, float cell) {
  if (!std::isfinite(cell)) return term.missing;
  if (!term.categorical) return term.coefficient * (static_cast<double>(cell) - term.mean);
  // A code is a whole number from 0 on; what is none of the dictionary's was never seen.
  if (!(cell >= 0) || !(cell < static_cast<float>(term.coefficients.size()))) return 0;
  const auto code = static_cast<std::size_t>(cell);
  if (static_cast<float>(code) != cell || code >= term.coefficients.size()) return 0;
  return term.coefficients[code];
}

Result<LinearModel> LinearModel::make(LinearParts parts) {
  std::set<std::string_view> names;
  for (const LinearTerm& term : parts.terms) {
    if (term.name.empty()) return bad("a column has no name");
    if (!names.insert(term.name).second) return bad("two columns are named '" + term.name + "'");
    COEVAL_TRY(check_term(term));
  }
  for (const double number : {parts.intercept, parts.fit.l1, parts.fit.l2, parts.fit.gap})
    if (!is_sound(number)) return bad("a number is not finite or too large");
  return LinearModel(std::move(parts));
}

Result<LinearModel> LinearModel::read(std::string_view bytes) {
  if (!is_linear_model(bytes)) return bad("it does not begin with " + std::string(kBeginning));
  auto json = data::parse_json(bytes, {.max_bytes = kMaxBytes, .max_depth = 8});
  if (!json) return bad(json.error().message);
  COEVAL_ASSIGN(LinearParts parts, parts_from(*json));
  return make(std::move(parts));
}

std::string LinearModel::to_text() const {
  Json json;
  json.set("format", "coeval linear");
  json.set("version", kVersion);
  json.set("link", parts_->link == LinearLink::logistic ? "logistic" : "identity");
  json.set("intercept", parts_->intercept);
  Json columns{Json::Array{}};
  for (const LinearTerm& term : parts_->terms) columns.push(to_json(term));
  json.set("columns", std::move(columns));
  json.set("fit", to_json(parts_->fit));
  return json.dump() + "\n";
}

std::size_t LinearModel::memory_bytes() const {
  std::size_t bytes =
      sizeof(LinearModel) + sizeof(LinearParts) + parts_->terms.capacity() * sizeof(LinearTerm);
  for (const LinearTerm& term : parts_->terms)
    bytes += term.name.capacity() + term.coefficients.capacity() * sizeof(double);
  return bytes;
}

double LinearModel::margin(std::span<const float> row) const {
  COEVAL_CHECK(row.size() == width());
  double margin = parts_->intercept;
  for (std::size_t i = 0; i < row.size(); ++i) margin += add_of(parts_->terms[i], row[i]);
  return margin;
}

double LinearModel::transform(double margin) const {
  return parts_->link == LinearLink::logistic ? logistic(margin) : margin;
}

void LinearModel::predict(std::span<const float> rows, std::span<float> margins,
                          std::span<float> scores) const {
  COEVAL_CHECK(scores.size() == margins.size() && rows.size() == margins.size() * width());
  for (std::size_t i = 0; i < margins.size(); ++i) {
    const double margin = this->margin(rows.subspan(i * width(), width()));
    margins[i] = static_cast<float>(margin);
    scores[i] = static_cast<float>(transform(margin));
  }
}

void LinearModel::predict(std::span<const float> rows, std::span<double> margins,
                          std::span<double> scores) const {
  COEVAL_CHECK(scores.size() == margins.size() && rows.size() == margins.size() * width());
  for (std::size_t i = 0; i < margins.size(); ++i) {
    margins[i] = margin(rows.subspan(i * width(), width()));
    scores[i] = transform(margins[i]);
  }
}

void LinearModel::contributions(std::span<const float> row, std::span<double> out) const {
  COEVAL_CHECK(row.size() == width() && out.size() == width() + 1);
  double bias = parts_->intercept;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const LinearTerm& term = parts_->terms[i];
    out[i] = add_of(term, row[i]) - term.average;
    bias += term.average;
  }
  out[width()] = bias;
}

bool is_linear_model(std::string_view bytes) { return bytes.starts_with(kBeginning); }

}  // namespace coeval::models
