#include "training/worker_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "stores/files.h"
#include "training/json_member.h"

namespace coeval::training {
namespace {

data::Json params_json(const std::vector<std::pair<std::string, std::string>>& params) {
  data::Json::Array pairs;
  for (const auto& [key, value] : params) pairs.emplace_back(data::Json::Array{key, value});
  return pairs;
}

Result<std::vector<std::pair<std::string, std::string>>> params_from(
    const data::Json::Array& json) {
  std::vector<std::pair<std::string, std::string>> params;
  for (const data::Json& item : json) {
    const auto* pair = item.array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].string() || !(*pair)[1].string()) {
      return fail(Code::bad_json, "'params' must be an array of pairs of strings");
    }
    params.emplace_back(*(*pair)[0].string(), *(*pair)[1].string());
  }
  return params;
}

Result<std::vector<std::string>> names_from(const data::Json::Array& json) {
  std::vector<std::string> names;
  for (const data::Json& item : json) {
    if (item.string() == nullptr)
      return fail(Code::bad_json, "'names' must be an array of strings");
    names.push_back(*item.string());
  }
  return names;
}

Result<std::vector<bool>> flags_from(const data::Json::Array& json) {
  std::vector<bool> flags;
  for (const data::Json& item : json) {
    if (item.boolean() == nullptr) {
      return fail(Code::bad_json, "'categorical' must be an array of booleans");
    }
    flags.push_back(*item.boolean());
  }
  return flags;
}

Result<std::vector<int>> directions_from(const data::Json::Array& json) {
  std::vector<int> directions;
  for (const data::Json& item : json) {
    if (item.integer() == nullptr || *item.integer() < -1 || *item.integer() > 1)
      return fail(Code::bad_json, "'monotone' must be an array of -1, 0 and 1");
    directions.push_back(static_cast<int>(*item.integer()));
  }
  return directions;
}

Result<std::vector<std::uint32_t>> groups_from(const data::Json::Array& json) {
  std::vector<std::uint32_t> groups;
  for (const data::Json& item : json) {
    if (item.integer() == nullptr || *item.integer() < 1 ||
        *item.integer() > std::numeric_limits<std::uint32_t>::max())
      return fail(Code::bad_json, "'groups' must be an array of positive integers");
    groups.push_back(static_cast<std::uint32_t>(*item.integer()));
  }
  return groups;
}

Result<WorkerJob> job_from(const std::string& text) {
  if (text == "train") return WorkerJob::train;
  if (text == "predict") return WorkerJob::predict;
  return fail(Code::bad_json, "'job' must be train or predict, is '" + text + "'");
}

Result<std::uint64_t> seed_from(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (fault == std::errc{} && end == text.data() + text.size()) return seed;
  return fail(Code::bad_json, "'seed' must hold digits only, is '" + text + "'");
}

constexpr std::pair<Objective::Kind, std::string_view> kObjectives[] = {
    {Objective::Kind::binary, "binary"},         {Objective::Kind::squared, "squared"},
    {Objective::Kind::absolute, "absolute"},     {Objective::Kind::quantile, "quantile"},
    {Objective::Kind::multiclass, "multiclass"}, {Objective::Kind::ranking, "ranking"},
};

std::string_view name_of(Objective::Kind kind) {
  const auto* found =
      std::ranges::find(kObjectives, kind, &std::pair<Objective::Kind, std::string_view>::first);
  return found->second;
}

Result<Objective> objective_from(const data::Json& json) {
  COEVAL_ASSIGN(const std::string text, string_member(json, "objective"));
  for (const auto& [kind, kind_name] : kObjectives) {
    if (text != kind_name) continue;
    Objective objective{.kind = kind};
    COEVAL_ASSIGN(objective.quantile, number_member(json, "quantile"));
    COEVAL_ASSIGN(const std::int64_t classes, integer_member(json, "classes"));
    objective.classes = static_cast<int>(classes);
    COEVAL_ASSIGN(objective.rank_k, integer_member(json, "rank_k"));
    return objective;
  }
  return fail(Code::bad_json, "'objective' is unknown: '" + text + "'");
}

Result<TrainingPlan> training_plan_from(const data::Json& json) {
  TrainingPlan plan;
  COEVAL_ASSIGN(const auto* params, array_member(json, "params"));
  COEVAL_ASSIGN(plan.params, params_from(*params));
  COEVAL_ASSIGN(const std::int64_t rounds, integer_member(json, "rounds"));
  COEVAL_ASSIGN(const std::int64_t stopping, integer_member(json, "early_stopping_rounds"));
  COEVAL_ASSIGN(const std::string seed, string_member(json, "seed"));
  COEVAL_ASSIGN(plan.seed, seed_from(seed));
  COEVAL_ASSIGN(const std::int64_t threads, integer_member(json, "threads"));
  plan.rounds = static_cast<int>(rounds);
  plan.early_stopping_rounds = static_cast<int>(stopping);
  plan.threads = static_cast<int>(threads);
  COEVAL_ASSIGN(plan.objective, objective_from(json));
  return plan;
}

Status check_shape(const WorkerPlan& plan) {
  if (plan.rows < 0 || plan.train_rows < 0 || plan.train_rows > plan.rows) {
    return fail(Code::bad_json, "'train_rows' must lie between 0 and 'rows'");
  }
  if (plan.names.size() != plan.categorical.size()) {
    return fail(Code::bad_json, "'names' and 'categorical' must be of one length");
  }
  if (plan.outputs < 1) return fail(Code::bad_json, "'outputs' must be positive");
  const std::uint64_t grouped =
      std::accumulate(plan.groups.begin(), plan.groups.end(), std::uint64_t{0});
  if (!plan.groups.empty() && grouped != static_cast<std::uint64_t>(plan.rows))
    return fail(Code::bad_json, "'groups' must have all rows");
  if (!plan.monotone.empty() && plan.monotone.size() != plan.width) {
    return fail(Code::bad_json, "'monotone' must be empty or have a direction for each input");
  }
  return {};
}

}  // namespace

void WorkerFiles::remove_all() const {
  for (const std::string& path : {plan(), model(), trained(), answer(), error()}) {
    std::error_code ignored;  // What cannot be removed is overwritten by the next run, or stays.
    std::filesystem::remove(path, ignored);
  }
}

data::Json to_json(const WorkerPlan& plan) {
  data::Json json;
  json.set("job", plan.job == WorkerJob::train ? "train" : "predict");
  json.set("trainer", plan.trainer);
  json.set("rows", plan.rows);
  json.set("train_rows", plan.train_rows);
  json.set("width", plan.width);
  json.set("outputs", plan.outputs);
  json.set("values_at", plan.values_at);
  json.set("names", data::Json::Array(plan.names.begin(), plan.names.end()));
  json.set("categorical", data::Json::Array(plan.categorical.begin(), plan.categorical.end()));
  json.set("monotone", data::Json::Array(plan.monotone.begin(), plan.monotone.end()));
  json.set("weighted", plan.weighted);
  data::Json::Array groups;
  for (const std::uint32_t rows : plan.groups) groups.emplace_back(std::int64_t{rows});
  json.set("groups", std::move(groups));
  json.set("params", params_json(plan.plan.params));
  json.set("rounds", plan.plan.rounds);
  json.set("early_stopping_rounds", plan.plan.early_stopping_rounds);
  json.set("seed", std::to_string(plan.plan.seed));
  json.set("threads", plan.plan.threads);
  json.set("objective", name_of(plan.plan.objective.kind));
  json.set("quantile", plan.plan.objective.quantile);
  json.set("classes", plan.plan.objective.classes);
  json.set("rank_k", plan.plan.objective.rank_k);
  return json;
}

Result<WorkerPlan> worker_plan_from_json(const data::Json& json) {
  WorkerPlan plan;
  COEVAL_ASSIGN(const std::string job, string_member(json, "job"));
  COEVAL_ASSIGN(plan.job, job_from(job));
  COEVAL_ASSIGN(plan.trainer, string_member(json, "trainer"));
  COEVAL_ASSIGN(plan.rows, integer_member(json, "rows"));
  COEVAL_ASSIGN(plan.train_rows, integer_member(json, "train_rows"));
  COEVAL_ASSIGN(const std::int64_t width, integer_member(json, "width"));
  plan.width = static_cast<std::size_t>(width);
  COEVAL_ASSIGN(const std::int64_t outputs, integer_member(json, "outputs"));
  plan.outputs = static_cast<std::size_t>(std::max<std::int64_t>(outputs, 0));
  COEVAL_ASSIGN(const std::int64_t values_at, integer_member(json, "values_at"));
  plan.values_at = static_cast<std::size_t>(values_at);
  COEVAL_ASSIGN(const auto* names, array_member(json, "names"));
  COEVAL_ASSIGN(plan.names, names_from(*names));
  COEVAL_ASSIGN(const auto* categorical, array_member(json, "categorical"));
  COEVAL_ASSIGN(plan.categorical, flags_from(*categorical));
  COEVAL_ASSIGN(const auto* monotone, array_member(json, "monotone"));
  COEVAL_ASSIGN(plan.monotone, directions_from(*monotone));
  const data::Json* weighted = json.find("weighted");
  if (weighted == nullptr || weighted->boolean() == nullptr)
    return fail(Code::bad_json, "'weighted' must be true or false");
  plan.weighted = *weighted->boolean();
  COEVAL_ASSIGN(const auto* groups, array_member(json, "groups"));
  COEVAL_ASSIGN(plan.groups, groups_from(*groups));
  COEVAL_ASSIGN(plan.plan, training_plan_from(json));
  COEVAL_TRY(check_shape(plan));
  return plan;
}

Result<WorkerPlan> read_worker_plan(const WorkerFiles& files) {
  COEVAL_ASSIGN(const std::string text, stores::read_file(files.plan()));
  COEVAL_ASSIGN(const data::Json json, data::parse_json(text));
  auto plan = worker_plan_from_json(json);
  if (!plan) return std::unexpected(std::move(plan).error().within("reading " + files.plan()));
  return plan;
}

Status write_scratch(const std::string& path, std::span<const std::byte> bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(stores::error_from_errno(errno, "create", path));
  int fault = 0;
  while (!bytes.empty() && fault == 0) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      fault = errno;
    }
  }
  // Some file systems tell of a full disk only here.
  if (::close(fd) != 0 && fault == 0) fault = errno;
  if (fault != 0) return std::unexpected(stores::error_from_errno(fault, "write", path));
  return {};
}

}  // namespace coeval::training
