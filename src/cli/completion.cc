#include "cli/commands.h"

namespace coeval::cli {

// Bash only: verbs, then files. Other shells read it through bashcompinit.
int completion(Context& context) {
  std::string words;
  for (const auto& verb : verbs())
    if (std::string_view(verb.name) != "train-worker")
      words += (words.empty() ? "" : " ") + std::string(verb.name);
  context.terminal.print(
      "_coeval() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"" +
      words +
      "\" -- \"$word\"))\n"
      "  elif [[ \"$word\" == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$(coeval \"${COMP_WORDS[1]}\" --help 2>/dev/null | "
      "grep -oE -- '--[a-z-]+' | sort -u)\" -- \"$word\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}\n"
      "complete -F _coeval coeval");
  return 0;
}

}  // namespace coeval::cli
