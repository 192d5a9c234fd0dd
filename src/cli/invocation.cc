#include "cli/invocation.h"

#include <CLI/CLI.hpp>

namespace coeval::cli {

namespace {

// What each verb takes, declared once; CLI11 makes the help texts from it.
class Declaration {
 public:
  Declaration(CLI::App& app, Invocation& in) : app_(app), in_(in) {}

  void all() {
    for (const auto& verb : verbs()) {
      CLI::App* sub = app_.add_subcommand(verb.name, verb.description);
      sub->add_flag("--json", in_.json, "print the answer as JSON on stdout");
      sub->add_option("-C,--project", in_.folder,
                      "folder of the project (default: this one or above)");
      sub->callback([&in = in_, sub] { in.verb = sub->get_name(); });  // outlives this declaration
    }
    definition();
    building();
    serving();
    proving();
    upkeep();
  }

 private:
  CLI::App* verb(const char* name) { return app_.get_subcommand(name); }
  void model(CLI::App* sub, const char* text) {
    sub->add_option("model", in_.model, text)->required();
  }
  void threads(CLI::App* sub) {
    sub->add_option("--threads", in_.threads, "threads to use (default: all cores)")
        ->check(CLI::Range(1, 256));
  }

  void definition() {
    verb("init")->add_option("folder", in_.subject,
                             "folder to write coeval.toml into (default: here)");
    verb("plan")->add_flag("--exit-code", in_.exit_code, "exit 4 when a build would do something");
    verb("plan")->add_option("model", in_.model, "one model (default: all)");
  }

  void building() {
    auto* build = verb("build");
    build->add_option("model", in_.model, "one model (default: all)");
    threads(build);
    auto* dataset = verb("dataset");
    dataset->add_option("model", in_.model, "write the rows of this model");
    dataset->add_option("--features", in_.features, "or: a model, a view, or a list of inputs");
    dataset->add_option("--questions", in_.questions, "table with your own entities and times");
    dataset->add_option("--at", in_.at, "column of the questions with their time (default: at)");
    dataset->add_option("--out", in_.out, "file to write: .parquet, .csv or .jsonl")->required();
    threads(dataset);
    auto* show = verb("show");
    show->add_option("model", in_.model, "model (default: a list of all)");
    show->add_option("--version", in_.version, "a version (default: the newest)");
    auto* promote = verb("promote");
    model(promote, "model");
    promote->add_option("--version", in_.version, "version (default: the newest)");
    promote->add_option("--alias", in_.alias, "alias to move (default: champion)");
    promote->add_option("--reason", in_.reason, "kept in the history");
    auto* rollback = verb("rollback");
    model(rollback, "model");
    rollback->add_option("--alias", in_.alias, "alias to move back (default: champion)");
    rollback->add_option("--reason", in_.reason, "kept in the history");
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
    auto* ingest = verb("ingest");
    ingest->add_option("source", in_.source, "source")->required();
    ingest->add_option("files", in_.files, "tables: .parquet, .csv, .jsonl")->required();
  }

  void proving() {
    auto* audit = verb("audit");
    audit->add_option("--since", in_.since, "only predictions for this moment or later");
    audit->add_flag("--against-dataset", in_.against_dataset,
                    "compare with the offline dataset's rows for the same questions");
    threads(audit);
    auto* explain = verb("explain");
    explain->add_option("subject", in_.subject, "an error code such as C0412, or a prediction id")
        ->required();
    explain->add_option("--feature", in_.feature, "list every event of this feature");
  }

  void upkeep() {
    verb("doctor")->add_flag("--repair", in_.repair, "set bad bytes of the log aside");
    verb("completion")
        ->add_option("shell", in_.subject, "bash")
        ->required()
        ->check(CLI::IsMember({"bash"}));
    verb("train-worker")->add_option("folder", in_.subject, "work folder")->required();
    verb("train-worker")->group("");
  }

  CLI::App& app_;
  Invocation& in_;
};

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> kVerbs = {
      {"init", "write a commented coeval.toml to start from"},
      {"check", "check the definition: names, types, leaks"},
      {"plan", "say what a build would do, and why"},
      {"build", "dataset, training, evaluation, gates, registry"},
      {"show", "a model's metrics, inputs, ids and gates"},
      {"dataset", "write point-in-time rows, of a model or for your own questions"},
      {"promote", "point an alias (champion) at a version that passed its gates"},
      {"rollback", "point an alias back at where it was before"},
      {"serve", "answer over HTTP"},
      {"replay", "play a source's past as live traffic against a server"},
      {"ingest", "append a table's rows to the log"},
      {"audit", "recompute every logged prediction and compare bits"},
      {"explain", "an error code, or a prediction down to its events"},
      {"doctor", "examine the log, the models and the installation"},
      {"completion", "print a completion script for a shell"},
      {"train-worker", "the child process that trains (internal)"},
  };
  return kVerbs;
}

ParsedCommand parse_command_line(int argc, const char* const* argv) {
  ParsedCommand parsed;
  CLI::App app{"coeval: one definition, one kernel, one log"};
  app.name("coeval");
  app.set_version_flag("--version", std::string("coeval " COEVAL_VERSION));
  app.set_help_all_flag("--help-all", "help for every verb");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 ok, 1 internal or I/O, 2 usage or definition, 3 a check or gate failed, "
      "4 changes pending.\n`coeval VERB --help` says more; `coeval explain C0412` explains an "
      "error.");
  Declaration(app, parsed.invocation).all();
  if (argc == 1 || (argc == 2 && std::string(argv[1]) == "help")) {
    parsed.text = app.help();
    return parsed;
  }
  try {
    app.parse(argc, argv);
    parsed.run = true;
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const int code = app.exit(error, out, err);
    parsed.text = out.str();
    parsed.exit_code = code == 0 ? 0 : 2;
    if (code != 0)
      parsed.text = "error[C1001]: " + std::string(error.what()) + "\n" +
                    "  = help: coeval help lists the verbs, coeval VERB --help their options\n";
  }
  return parsed;
}

}  // namespace coeval::cli
