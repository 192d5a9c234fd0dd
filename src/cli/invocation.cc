#include "cli/invocation.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "cli/exports.h"
#include "define/diagnostics.h"

namespace coeval::cli {

namespace {

std::string is_log_id(const std::string& text) {
  const bool is_id = !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  return is_id ? std::string() : "'" + text + "' is not 1 to 64 letters and digits";
}

// What each verb takes, declared once; CLI11 makes the help texts from it.
class Declaration {
 public:
  Declaration(CLI::App& app, Invocation& in) : app_(app), in_(in) {}

  void all() {
    for (const auto& verb : verbs()) {
      CLI::App* sub = app_.add_subcommand(verb.name, verb.description);
      sub->add_flag("--json", in_.json, "print the answer as JSON on stdout");
      if (std::string_view(verb.name) != "gen")
        sub->add_option("-C,--project", in_.folder,
                        "folder of the project (default: this one or above)");
      sub->callback([&in = in_, sub] { in.verb = sub->get_name(); });  // outlives this declaration
    }
    definition();
    building();
    generating();
    serving();
    proving();
    exporting();
    upkeep();
  }

 private:
  CLI::App* verb(const char* name) { return app_.get_subcommand(name); }
  void model(CLI::App* sub, const char* text) {
    sub->add_option("model", in_.model, text)->required();
  }
  void version(CLI::App* sub, const char* text) {
    sub->add_option("--version", in_.version, text)
        ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  }
  void tags(CLI::App* sub) {
    sub->add_option("--tag", in_.tags,
                    "a word that the runs are found by: coeval runs --filter \"tag = 'WORD'\"; "
                    "may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  // A text that says nothing is not the same as no option.
  static std::string not_blank(const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos ? "must not be empty" : "";
  }
  void threads(CLI::App* sub) {
    sub->add_option("--threads", in_.threads, "threads to use (default: all cores)")
        ->check(CLI::Range(1, 256));
  }

  void definition() {
    verb("init")->add_option("folder", in_.subject,
                             "folder to write coeval.toml into (default: here)");
    verb("init")
        ->add_option("--from", in_.files,
                     "tables to propose it from: their columns, with types, rules and evidence")
        ->expected(1, CLI::detail::expected_max_vector_size);
    auto* check = verb("check");
    auto* data =
        check
            ->add_option("--data", in_.files,
                         "run every check on rows too: SOURCE=FILE, or FILE where there is "
                         "one source; patterns too, or - for standard input; without any, on "
                         "each source's own file")
            ->expected(0, CLI::detail::expected_max_vector_size);
    check
        ->add_option("--environment", in_.environment,
                     "where the rows are from: train, or serve (default: train)")
        ->check(CLI::IsMember({"train", "serve"}))
        ->needs(data);
    check->add_option("--format", in_.format, "of standard input (default: csv)")
        ->check(CLI::IsMember({"csv", "jsonl", "parquet", "arrow", "arrows"}))
        ->needs(data);
    check->add_option("--html", in_.html, "write the report as a page")->needs(data);
    check->add_option("--junit", in_.junit, "write the report as JUnit's XML")->needs(data);
    check->callback([&in = in_, check, data] {
      in.verb = check->get_name();
      in.data = data->count() > 0;
    });
    verb("plan")->add_flag("--exit-code", in_.exit_code, "exit 4 when changes are pending");
    verb("plan")->add_option("model", in_.model, "one model (default: all)");
    auto* replay = verb("plan")->add_flag(
        "--replay", in_.replay, "instead: how many logged predictions would have been others");
    verb("plan")
        ->add_option("--since", in_.since, "only predictions for this moment or later")
        ->needs(replay);
    threads(verb("plan"));
  }

  void building() {
    auto* build = verb("build");
    build->add_option("model", in_.model, "one model (default: all)");
    tags(build);
    threads(build);
    auto* given = verb("register");
    model(given, "model of the definition whose inputs and label the file has");
    given
        ->add_option("--file", in_.model_file, "XGBoost's .ubj or .json, LightGBM's text, or .onnx")
        ->required();
    tags(given);
    threads(given);
    runs();
    auto* dataset = verb("dataset");
    dataset->add_option("model", in_.model, "write the rows of this model");
    dataset->add_option("--features", in_.features, "or: a model, a view, or a list of inputs");
    dataset->add_option(
        "--questions", in_.questions,
        "table with your own entities and times; the rows of --out are in order of time");
    dataset->add_option("--at", in_.at, "column of the questions with their time (default: at)");
    dataset->add_option("--as-of", in_.as_of,
                        "only rows and labels known before this moment (default: all)");
    dataset->add_option("--out", in_.out, "file to write: .parquet, .csv or .jsonl")->required();
    dataset
        ->add_option("--bucket", in_.bucket,
                     "i/P: only the questions of one of P parts by key, such as 0/8")
        ->check(not_blank);
    dataset
        ->add_option("--memory", in_.memory,
                     "most memory to use, such as 4GB or 512MiB: events and answers go by way of "
                     "the disk")
        ->check(not_blank);
    dataset
        ->add_option("--spill-folder", in_.spill_folder,
                     "folder for them while it runs (default: .coeval of the project)")
        ->needs("--memory");
    threads(dataset);
    auto* show = verb("show");
    show->add_option("model", in_.model, "model (default: a list of all), or the word feature");
    show->add_option("feature", in_.subject,
                     "after that word: VIEW.FEATURE, such as origin.late_3h");
    show->add_option("--key", in_.keys,
                     "of a feature: the entity, as ORD, ORD,LAX or origin=ORD; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    show->add_option("--at", in_.moment, "of a feature: the question's time");
    show->add_flag("--all", in_.everything, "of a feature: list every excluded event");
    version(show, "a version (default: the newest)");
    show->add_option("--card", in_.card,
                     "of a model: write its model card here, as .md or as one page of .html");
    auto* promote = verb("promote");
    model(promote, "model");
    version(promote, "version (default: the newest)");
    promote->add_option("--alias", in_.alias, "alias to move (default: champion)");
    promote->add_option("--reason", in_.reason, "kept in the history")->check(not_blank);
    auto* rollback = verb("rollback");
    model(rollback, "model");
    rollback->add_option("--alias", in_.alias, "alias to move back (default: champion)");
    rollback->add_option("--reason", in_.reason, "kept in the history")->check(not_blank);
  }

  void generating() {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    const auto count = CLI::Range(std::int64_t{0}, kMost);
    const auto share = CLI::Range(0.0, 1.0);
    GenerateWords& words = in_.generate;
    auto* gen = verb("gen");
    gen->add_option("kind", in_.subject, "what to make")
        ->required()
        ->check(CLI::IsMember({"fraud", "clicks", "recsys", "churn", "series"}));
    gen->add_option("--out", in_.out,
                    "file to write: .parquet, .csv or .jsonl; - is standard output; /dev/null "
                    "only makes the rows");
    gen->add_option("--format", in_.format, "of standard output (default: csv)")
        ->check(CLI::IsMember({"csv", "jsonl"}));
    gen->add_option("--project", words.project,
                    "write an example project here too: coeval.toml beside the data (default "
                    "of --out: KIND.parquet in it)");
    gen->add_option("--seed", words.seed, "the same seed gives the same rows (default: 1)");
    gen->add_option("--rows", words.rows, "the first so many rows")->check(count);
    gen->add_option("--days", words.days, "of data, from 2018-04-01 on")->check(count);
    gen->add_option("--shard", words.shard, "i/n: only the i-th of n parts, from 0, such as 0/8");
    threads(gen);
    gen->add_option("--cards", words.cards, "of fraud (default: 5000)")->check(count);
    gen->add_option("--terminals", words.terminals, "of fraud (default: 10000)")->check(count);
    gen->add_option("--label-delay", words.label_delay,
                    "of fraud: 7d (default), or lognormal:6d:0.6 with a median and a deviation");
    gen->add_option("--unreported", words.unreported,
                    "of fraud: share of frauds that are labelled as none")
        ->check(share);
    gen->add_option("--drift", words.drifts,
                    "of fraud: DAY:KIND, from that day on: amounts, volume, attack or disguise; "
                    "may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    gen->add_option("--late", words.late, "of fraud: share of payments that arrive late")
        ->check(share);
    gen->add_option("--duplicates", words.duplicates, "of fraud: share that comes twice")
        ->check(share);
    gen->add_option("--out-of-order", words.out_of_order,
                    "of fraud: share whose row is up to an hour from its place")
        ->check(share);
    gen->add_option("--schema-change", words.schema_change,
                    "of fraud: the day from which on rows have a column more, entry_mode")
        ->check(count);
    gen->add_option("--queries", words.queries, "of clicks (default: 1000)")->check(count);
    gen->add_option("--documents", words.documents, "of clicks: of a query (default: 20)")
        ->check(count);
    gen->add_option("--positions", words.positions, "of clicks: that are shown (default: 10)")
        ->check(count);
    gen->add_option("--position-bias", words.position_bias,
                    "of clicks: position k is looked at with probability k^-BIAS (default: 1)");
    gen->add_option("--users", words.users, "of recsys (default: 10000)")->check(count);
    gen->add_option("--items", words.items, "of recsys (default: 2000)")->check(count);
    gen->add_option("--customers", words.customers, "of churn (default: 20000)")->check(count);
    gen->add_option("--series", words.series, "of series (default: 1000)")->check(count);
    gen->add_option("--gaps", words.gaps, "of series: share of points that are left out")
        ->check(share);
  }

  void runs() {
    auto* runs = verb("runs");
    runs->add_option(
            "words", in_.words,
            "a model whose runs to list (default: all); or: show RUN; or: compare RUN RUN, "
            "where a run is the beginning of its id, or the version that it made: late@v7")
        ->expected(0, 3);
    runs->add_option("--filter", in_.filter,
                     "only runs of which this holds, such as \"test.auc >= 0.77 and "
                     "params.max_depth = 6 and state = 'finished'\"");
    runs->add_option("--sort", in_.sort,
                     "a field, the greatest first: test.auc; with a - the least first: "
                     "-test.log_loss (default: the newest first)");
    runs->add_option("--metrics", in_.metrics,
                     "columns to show, such as test.auc,params.max_depth,train_s");
    runs->add_option("--experiment", in_.experiment, "only runs of this experiment");
    runs->add_option("--limit", in_.limit, "runs at most (default: 20)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  }

  void serving() {
    auto* serve = verb("serve");
    serve->add_option("--port", in_.port, "port; 0 takes a free one (default: 8080)")
        ->check(CLI::Range(0, 65535));
    serve->add_option("--address", in_.address, "address to listen on (default: 127.0.0.1)");
    serve->add_option("--as-of", in_.as_of, "fold files only up to this moment (default: now)");
    serve
        ->add_option("--clock", in_.clock, "system, or data: the log's own time, moved by requests")
        ->check(CLI::IsMember({"system", "data"}));
    threads(serve);
    auto* replay = verb("replay");
    replay->add_option("models", in_.models, "whose questions to ask (default: the only one)");
    replay->add_option("--from", in_.from, "first moment; the server's --as-of")->required();
    replay->add_option("--to", in_.to, "end, exclusive")->required();
    replay->add_option("--url", in_.url, "the server (default: http://127.0.0.1:8080)");
    replay->add_option("--speed", in_.speed, "max, or a factor such as 1000x (default: max)");
    replay->add_option("--arrival", in_.arrival, "expression: when an event is really sent");
    auto* profile = verb("profile");
    profile->add_option("source", in_.source, "source")->required();
    profile->add_option(
        "files", in_.files,
        "tables, or profiles of parts of one (.profile), which are merged (default: "
        "the source's own file)");
    profile->add_option("--out", in_.out, "write the profile too, as a file to name as reference");
    profile->add_flag("--correlations", in_.correlations, "of each two columns of numbers, too");
    threads(profile);
    auto* ingest = verb("ingest");
    ingest->add_option("source", in_.source, "source");
    ingest->add_option("files", in_.files,
                       "tables: .parquet, .csv, .jsonl (.gz, .zst), .arrow; patterns such as "
                       "'day-*.csv'; - is standard "
                       "input");
    ingest->add_option("--follow", in_.follow, "take files as they appear in this folder");
    ingest->add_option("--format", in_.format, "of standard input (default: csv)")
        ->check(CLI::IsMember({"csv", "jsonl", "parquet", "arrow", "arrows"}));
    ingest->add_flag("--dry-run", in_.dry_run, "count and judge only");
    ingest->add_option("--memory", in_.memory,
                       "most memory for rows that wait, such as 4GB; more spill (default: 1GB)");
    ingest->add_option("--max-bad-rows", in_.max_bad_rows, "hold a file with more bad rows")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 53));
    ingest
        ->add_option("--max-bad-ratio", in_.max_bad_ratio, "hold one with a greater share of them")
        ->check(CLI::Range(0.0, 1.0));
    ingest
        ->add_option("--log-id", in_.log_id,
                     "what a log that begins with this calls itself, 1 to 64 letters and digits "
                     "(default: as no other does), so that equal runs give equal bytes")
        ->check(is_log_id);
    ingest->add_flag("--status", in_.status, "instead: where the rows of every source are");
    ingest->add_flag("--held", in_.held, "instead: list batches that are held");
    ingest->add_option("--release", in_.release, "instead: publish the held batch of this id");
    ingest->add_option("--discard", in_.discard, "instead: forget the held batch of this id");
    ingest->add_option("--reason", in_.reason, "why; kept in the log")->check(not_blank);
    auto* quarantine = verb("quarantine");
    quarantine->add_option("action", in_.action, "what to do")
        ->required()
        ->check(CLI::IsMember({"list", "show", "replay", "drop"}));
    quarantine->add_option("source", in_.source, "source (default: all; drop wants one)");
    quarantine->add_option("--rule", in_.rule, "only rows that broke this rule, such as delay.min");
    quarantine->add_option("--limit", in_.limit, "of show: rows at most (default: 20)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
    quarantine->add_flag("--raw", in_.raw, "of show: rows as they are, personal columns too");
    quarantine->add_flag("--dry-run", in_.dry_run, "of replay and drop: count only");
    quarantine->add_option("--memory", in_.memory, "of replay: as of ingest");
    quarantine->add_option("--reason", in_.reason, "of drop: why; kept in the log")
        ->check(not_blank);
  }

  void proving() {
    auto* audit = verb("audit");
    audit->add_option("--since", in_.since, "only predictions for this moment or later");
    audit->add_flag(
        "--against-dataset", in_.against_dataset,
        "compare with the offline dataset's rows for the same questions; of files only");
    threads(audit);
    auto* reproduce = verb("reproduce");
    model(reproduce, "MODEL or MODEL@vN (default: the newest version)");
    threads(reproduce);
    auto* explain = verb("explain");
    explain->add_option("subject", in_.subject,
                        "an error code such as C0412 (default: a list of all), a prediction id, or "
                        "the word gate");
    explain->add_option("model", in_.model,
                        "after the word gate: MODEL or MODEL@vN (default: the newest version)");
    explain->add_option("--feature", in_.feature, "list every event of this feature");
  }

  void exporting() {
    auto* out = verb("export");
    std::string usages;
    for (const auto& each : exports())
      usages +=
          (usages.empty() ? "" : "; ") + std::string(each.kind) + " " + std::string(each.usage);
    out->add_option("kind", in_.action, usages)->required()->check(CLI::IsMember(export_kinds()));
    out->add_option("words", in_.words,
                    "what follows the kind; a model is late, its newest version, or late@v7, and a "
                    "run that of a model, or the beginning of its id, as coeval runs lists it")
        ->expected(0, 1000);
    out->add_flag("--no-check", in_.no_check,
                  "of onnx: write the file without running it in ONNX Runtime");
  }

  void upkeep() {
    auto* gc = verb("gc");
    gc->add_flag("--dry-run", in_.dry_run, "only say what would go");
    gc->add_option(
          "--keep", in_.keep,
          "of registered versions too: keep the newest so many of each model, and all that "
          "an alias ever pointed to (default: keep all)")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()));
    auto* log = verb("log");
    log->add_option("action", in_.subject,
                    "seal: write closed segments as Parquet too; trim: remove what retention lets "
                    "go; accept: take the definition's columns as the newest; schemas: list them")
        ->required()
        ->check(CLI::IsMember({"seal", "trim", "accept", "schemas"}));
    log->add_option("source", in_.source, "of accept: the source");
    log->add_option("--keep-predictions", in_.keep_predictions,
                    "of trim: predictions older than this may go, such as 400d (default: none go)");
    log->add_flag("--dry-run", in_.dry_run, "of trim: only say what would go");
    verb("doctor")->add_flag("--repair", in_.repair, "set bad bytes of the log aside");
    verb("completion")
        ->add_option("shell", in_.subject, "whose script to print; --json lists verbs and flags")
        ->check(CLI::IsMember({"bash", "fish", "zsh"}));
    verb("train-worker")->add_option("folder", in_.subject, "work folder")->required();
    verb("train-worker")->group("");
  }

  CLI::App& app_;
  Invocation& in_;
};

std::unique_ptr<CLI::App> make_app(Invocation& in) {
  auto app = std::make_unique<CLI::App>("coeval: one definition, one kernel, one log");
  app->name("coeval");
  app->set_version_flag("--version", std::string("coeval " COEVAL_VERSION));
  app->set_help_all_flag("--help-all", "help for every verb");
  app->require_subcommand(1);
  app->footer(
      "Exit codes: 0 ok, 1 internal or I/O, 2 usage or definition, 3 a check or gate failed, "
      "4 changes pending.\n`coeval VERB --help` says more; `coeval explain C0412` explains an "
      "error.");
  Declaration(*app, in).all();
  return app;
}

bool is_internal(const CLI::App& sub) { return sub.get_group().empty(); }

// CLI11 names the values of IsMember in the type: "TEXT:{system,data}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.find('}');
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos || close < open) return choices;
  for (std::size_t at = open + 1; at < close;) {
    const std::size_t end = std::min(type.find(',', at), close);
    choices.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return choices;
}

Parameter parameter_of(const CLI::Option& option) {
  Parameter parameter;
  for (const auto& name : option.get_snames()) parameter.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) parameter.names.push_back("--" + name);
  if (option.get_positional()) parameter.names = {option.get_name()};
  parameter.description = option.get_description();
  parameter.takes_value = option.get_items_expected_max() > 0;
  parameter.many = option.get_items_expected_max() > 1;
  parameter.choices = choices_of(option);
  return parameter;
}

// Whether --json is asked for by a line that may not parse.
bool wants_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i)
    if (std::string_view(argv[i]) == "--json") return true;
  return false;
}

Error usage_error(const CLI::ParseError& error, int argc, const char* const* argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  std::vector<std::string> names;
  for (const auto& verb : verbs()) names.emplace_back(verb.name);
  const bool is_verb = std::ranges::find(names, first) != names.end();
  if (is_verb)
    return {Code::usage,
            error.what(),
            "coeval " + std::string(first) + " --help lists what it takes",
            {},
            {}};
  if (first.empty() || first.starts_with('-'))
    return {Code::usage,
            error.what(),
            "coeval help lists the verbs, coeval VERB --help their options",
            {},
            {}};
  const std::string near = define::did_you_mean(first, names);
  return {Code::usage,
          "no verb " + define::in_quotes(first),
          near.empty() ? "coeval help lists the verbs" : near,
          {},
          {}};
}

}  // namespace

std::vector<VerbDetails> describe_verbs() {
  Invocation unused;
  const auto app = make_app(unused);
  std::vector<VerbDetails> all;
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (is_internal(*sub)) continue;
    VerbDetails verb{sub->get_name(), sub->get_description(), {}, {}};
    for (const CLI::Option* option : sub->get_options())
      (option->get_positional() ? verb.arguments : verb.options).push_back(parameter_of(*option));
    all.push_back(std::move(verb));
  }
  return all;
}

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> kVerbs = {
      {"init", "write a commented coeval.toml to start from"},
      {"check", "check the definition: names, types, leaks"},
      {"plan", "say what a build would do and why, and what the change means"},
      {"build", "dataset, training, evaluation, gates, registry"},
      {"register", "a model file that was trained elsewhere: evaluation, gates, registry"},
      {"runs", "list training runs by any metric or parameter; show one; compare two"},
      {"show", "a model's metrics, inputs, ids and gates; or a feature down to its events"},
      {"dataset", "write point-in-time rows, of a model or for your own questions"},
      {"gen", "make data to train on, with its true probabilities, out of a seed"},
      {"promote", "point an alias (champion) at a version that passed its gates"},
      {"rollback", "point an alias back at where it was before"},
      {"serve", "answer over HTTP"},
      {"replay", "play a source's past as live traffic against a server"},
      {"profile", "describe a source's columns; write a reference that checks compare with"},
      {"ingest", "check files and bring their rows into the log, each file once"},
      {"quarantine", "list, show, replay or drop the rows that were kept out"},
      {"audit", "recompute every logged prediction and compare bits"},
      {"reproduce", "train a registered version again and compare ids, bits and golden rows"},
      {"explain", "an error code, a prediction down to its events, or the gates of a version"},
      {"export", "a run or a model for others: MLflow, OpenLineage, ONNX"},
      {"log", "seal the log's segments to Parquet, trim it, list its schemas"},
      {"doctor", "examine the log, the models and the installation"},
      {"gc", "remove files of .coeval that nothing refers to any more"},
      {"schema", "print the JSON Schema of coeval.toml, for editors"},
      {"completion", "print a completion script for a shell"},
      {"train-worker", "the child process that trains (internal)"},
  };
  return kVerbs;
}

ParsedCommand parse_command_line(int argc, const char* const* argv) {
  ParsedCommand parsed;
  parsed.json = wants_json(argc, argv);
  const auto app = make_app(parsed.invocation);
  if (argc == 1 || (argc == 2 && std::string(argv[1]) == "help")) {
    parsed.text = app->help();
    return parsed;
  }
  try {
    app->parse(argc, argv);
    parsed.run = true;
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    if (app->exit(error, out, err) == 0)
      parsed.text = out.str();
    else
      parsed.error = usage_error(error, argc, argv);
  }
  return parsed;
}

}  // namespace coeval::cli
