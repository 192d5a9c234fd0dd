#include "cli/commands.h"
#include "cli/completion_scripts.h"

namespace coeval::cli {

namespace {

data::Json texts(const std::vector<std::string>& list) {
  data::Json json{data::Json::Array{}};
  for (const auto& text : list) json.push(text);
  return json;
}

data::Json option_json(const Parameter& option) {
  data::Json json{data::Json::Object{}};
  json.set("names", texts(option.names));
  json.set("description", option.description);
  json.set("takes_value", option.takes_value);
  if (!option.choices.empty()) json.set("choices", texts(option.choices));
  return json;
}

data::Json argument_json(const Parameter& argument) {
  data::Json json{data::Json::Object{}};
  json.set("name", argument.names.front());
  json.set("description", argument.description);
  json.set("many", argument.many);
  if (!argument.choices.empty()) json.set("choices", texts(argument.choices));
  return json;
}

data::Json as_json(const std::vector<VerbDetails>& verbs) {
  data::Json all{data::Json::Array{}};
  for (const auto& verb : verbs) {
    data::Json one{data::Json::Object{}};
    one.set("verb", verb.name);
    one.set("description", verb.description);
    data::Json arguments{data::Json::Array{}}, options{data::Json::Array{}};
    for (const auto& argument : verb.arguments) arguments.push(argument_json(argument));
    for (const auto& option : verb.options) options.push(option_json(option));
    one.set("arguments", std::move(arguments));
    one.set("options", std::move(options));
    all.push(std::move(one));
  }
  return all;
}

}  // namespace

int completion(Context& context) {
  const auto verbs = describe_verbs();
  if (context.terminal.json()) {
    context.terminal.print_json(as_json(verbs));
    return 0;
  }
  const std::string& shell = context.in.subject;
  if (shell.empty())
    return context.report(Error{Code::usage,
                                "for which shell?",
                                "coeval completion bash, fish or zsh; --json lists verbs and flags",
                                {},
                                {}});
  context.terminal.print(shell == "bash"  ? bash_script(verbs)
                         : shell == "zsh" ? zsh_script(verbs)
                                          : fish_script(verbs));
  return 0;
}

}  // namespace coeval::cli
