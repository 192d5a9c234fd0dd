#include <filesystem>

#include "cli/commands.h"
#include "cli/doctor_log.h"
#include "cli/examine_state.h"
#include "cli/findings.h"
#include "training/registered_model.h"

namespace coeval::cli {

namespace {

void examine_installation(Context& context, Findings& findings) {
  const auto parquet = context.formats("x.parquet");
  findings.add("parquet adapter", parquet.has_value(),
               parquet ? "loads" : parquet.error().message + "; " + parquet.error().advice);
  const std::string library = context.installation.xgboost_folder + "/xgboost/lib/libxgboost.so";
  const bool there = std::filesystem::exists(library);
  findings.add("xgboost library", there,
               there ? library : "not at " + library + "; ./dev setup installs it");
  // Only who names it as a trainer needs it.
  const std::string other = context.installation.lightgbm_folder + "/lightgbm/lib/lib_lightgbm.so";
  findings.add("lightgbm library", true,
               std::filesystem::exists(other)
                   ? other
                   : "not at " + other + "; ./dev setup installs it for trainer = \"lightgbm\"");
}

void examine_log(Context& context, Findings& findings) {
  if (!std::filesystem::exists(context.log_folder())) {
    findings.add("log", true, "none yet");
    return;
  }
  const auto report = stores::inspect_log(context.log_folder(), context.in.repair);
  if (!report) {
    findings.add("log", false, one_line(report.error()));
    return;
  }
  std::string text = std::to_string(report->records) + " records in " +
                     std::to_string(report->segments) + " segments, " +
                     std::to_string(report->bytes) + " bytes";
  if (report->torn_bytes > 0)
    text +=
        ", a torn tail of " + std::to_string(report->torn_bytes) + " bytes (cut at the next start)";
  if (report->unfinished > 0)
    text += ", a batch that was not finished, of " + std::to_string(report->unfinished) +
            " records (taken back at the next start; ingest its file again)";
  if (!report->quarantined.empty()) text += ", bad bytes moved to " + report->quarantined;
  if (!report->problem.empty()) text += "; " + report->problem;
  const bool sound = report->problem.empty() || !report->quarantined.empty();
  findings.add("log", sound, text);
  if (sound)
    examine_log_content(context,
                        [&](const std::string& subject, bool is_sound, const std::string& what) {
                          findings.add(subject, is_sound, what);
                        });
}

std::string sound_text(const stores::ModelVersion& version) {
  if (!version.manifest_id.empty()) return "the folder that was registered, golden rows equal";
  return "golden rows equal; its files were not recorded when it was built, by an older coeval: "
         "delete " +
         version.folder + " and build again to have them compared";
}

void examine_models(Context& context, Findings& findings) {
  const auto meta = context.open_meta_for_reading();
  if (!meta) return findings.add("metadata", false, one_line(meta.error()));
  const auto models = (*meta)->models();
  if (!models) return findings.add("metadata", false, one_line(models.error()));
  for (const auto& model : *models) {
    const auto versions = (*meta)->versions(model);
    if (!versions) return findings.add("metadata", false, one_line(versions.error()));
    for (const auto& version : *versions) {
      if (version.removed_us != 0) {
        findings.add(model + "@v" + std::to_string(version.version), true,
                     "removed by coeval gc at " + format_time(version.removed_us));
        continue;
      }
      const auto loaded = training::load_version(context.state_folder, version, context.openers);
      findings.add(model + "@v" + std::to_string(version.version), loaded.has_value(),
                   loaded ? sound_text(version) : one_line(loaded.error()));
    }
  }
}

}  // namespace

int doctor(Context& context) {
  if (const auto code = context.load_project()) return *code;
  Findings findings(context.terminal);
  examine_installation(context, findings);
  examine_log(context, findings);
  examine_state(context, findings);
  examine_models(context, findings);
  return findings.finish();
}

}  // namespace coeval::cli
