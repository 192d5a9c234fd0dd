#include "cli/completion_scripts.h"

#include <string_view>

namespace coeval::cli {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// `text` with every character of `special` behind a backslash.
std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// Within single quotes of a POSIX shell, which know no escape.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string fish_quoted(std::string_view text) { return "'" + escaped(text, "\\'") + "'"; }

std::vector<std::string> flags_of(const VerbDetails& verb) {
  std::vector<std::string> flags;
  for (const auto& option : verb.options)
    flags.insert(flags.end(), option.names.begin(), option.names.end());
  return flags;
}

std::string bash_choices(const std::string& pattern, const std::vector<std::string>& choices) {
  return "    " + pattern + ") COMPREPLY=($(compgen -W \"" + joined(choices, " ") +
         "\" -- \"$word\")); return ;;\n";
}

std::string zsh_choices(const Parameter& parameter) {
  return parameter.choices.empty() ? "_files" : "(" + joined(parameter.choices, " ") + ")";
}

// One name of an option as _arguments reads it: '--clock[what it is]:value:(system data)'.
std::string zsh_option(const Parameter& option, const std::string& name) {
  std::string spec = name + "[" + escaped(option.description, "[]:\\") + "]";
  if (option.takes_value) spec += ":value:" + zsh_choices(option);
  return shell_quoted(spec);
}

std::string zsh_argument(const Parameter& argument) {
  const std::string what = escaped(argument.names.front(), ":\\");
  return shell_quoted((argument.many ? "*:" : ":") + what + ":" + zsh_choices(argument));
}

std::string fish_option(const Parameter& option) {
  std::string line;
  for (const auto& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.choices.empty())
    line += " -x -a " + fish_quoted(joined(option.choices, " "));
  else if (option.takes_value)
    line += " -r -F";
  return line + " -d " + fish_quoted(option.description);
}

std::string fish_argument(const Parameter& argument) {
  if (argument.choices.empty()) return " -F";
  return " -a " + fish_quoted(joined(argument.choices, " ")) + " -d " +
         fish_quoted(argument.description);
}

}  // namespace

std::string bash_script(const std::vector<VerbDetails>& verbs) {
  std::vector<std::string> names;
  std::string values, arguments, flags;
  for (const auto& verb : verbs) {
    names.push_back(verb.name);
    flags += "    " + verb.name + ") flags=\"" + joined(flags_of(verb), " ") + "\" ;;\n";
    for (const auto& option : verb.options)
      for (const auto& name : option.names)
        if (!option.choices.empty())
          values += bash_choices("'" + verb.name + " " + name + "'", option.choices);
    for (const auto& argument : verb.arguments)
      if (!argument.choices.empty()) arguments += bash_choices(verb.name, argument.choices);
  }
  // An empty answer lets readline complete a file (-o default), with its own quoting.
  return "# Printed by `coeval completion bash`.\n"
         "_coeval() {\n"
         "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" "
         "flags=\"\"\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W \"" +
         joined(names, " ") +
         "\" -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"${COMP_WORDS[1]} $before\" in\n" +
         values +
         "  esac\n"
         "  case \"${COMP_WORDS[1]}\" in\n" +
         flags +
         "  esac\n"
         "  if [[ \"$word\" == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"${COMP_WORDS[1]}\" in\n" +
         arguments +
         "  esac\n"
         "}\n"
         "complete -o default -F _coeval coeval";
}

std::string zsh_script(const std::vector<VerbDetails>& verbs) {
  std::string names, cases;
  for (const auto& verb : verbs) {
    names += "    " +
             shell_quoted(escaped(verb.name, ":\\") + ":" + escaped(verb.description, ":\\")) +
             "\n";
    cases += "    " + verb.name + ") _arguments";
    for (const auto& option : verb.options)
      for (const auto& name : option.names) cases += " \\\n      " + zsh_option(option, name);
    for (const auto& argument : verb.arguments) cases += " \\\n      " + zsh_argument(argument);
    cases += " ;;\n";
  }
  return "#compdef coeval\n"
         "# Printed by `coeval completion zsh`.\n"
         "_coeval() {\n"
         "  local -a verbs\n"
         "  verbs=(\n" +
         names +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe -t verbs 'verb' verbs\n"
         "    return\n"
         "  fi\n"
         "  local verb=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $verb in\n" +
         cases +
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] == _coeval ]]; then _coeval \"$@\"; else compdef _coeval coeval; fi";
}

std::string fish_script(const std::vector<VerbDetails>& verbs) {
  std::string text =
      "# Printed by `coeval completion fish`.\n"
      "complete -c coeval -e\n"
      "complete -c coeval -f\n";
  for (const auto& verb : verbs) {
    text += "complete -c coeval -n __fish_use_subcommand -a " + verb.name + " -d " +
            fish_quoted(verb.description) + "\n";
    const std::string within =
        "complete -c coeval -n '__fish_seen_subcommand_from " + verb.name + "'";
    for (const auto& option : verb.options) text += within + fish_option(option) + "\n";
    for (const auto& argument : verb.arguments) text += within + fish_argument(argument) + "\n";
  }
  text.pop_back();  // print() ends the line
  return text;
}

}  // namespace coeval::cli
