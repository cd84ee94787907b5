#include "certwright/export/keeper.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "certwright/base/child.h"
#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/store/certificates.h"
#include "place.h"

namespace certwright::exports {
namespace {

constexpr mode_t kPublicMode = 0644;
constexpr mode_t kKeyMode = 0600;
constexpr mode_t kGroupKeyMode = 0640;

// The test hook: CERTWRIGHT_TEST_EXIT_BEFORE_RELOAD=1 ends the process, as kill -9 would, between
// the switch of the files and the reload.
void EndHereIfTested() {
  const char* wanted = std::getenv("CERTWRIGHT_TEST_EXIT_BEFORE_RELOAD");
  if (wanted != nullptr && std::string_view(wanted) == "1") ::_exit(99);
}

std::string DigestOf(const std::vector<OutputFile>& files) {
  std::string all;
  for (const OutputFile& file : files) {
    all += Cat(file.path.string(), '\n', Hex(crypto::Sha256(file.content.Reveal())), '\n');
  }
  return Hex(crypto::Sha256(all));
}

Secret PasswordOf(const Target& target) {
  if (target.password_file.empty()) return Secret();
  try {
    const std::string text = ReadFile(target.password_file, 4096);
    return Secret(std::string(Trim(text.substr(0, text.find('\n')))));
  } catch (const Error& error) {
    throw Error(FailureCode::kConfig, Cat("export.password_file: ", error.what()),
                Cat("correct the export ", Printable(target.name)));
  }
}

mode_t ModeOf(const Target& target, Format format) {
  if (target.mode) return *target.mode;
  if (!HasKey(format)) return kPublicMode;
  return target.group.empty() ? kKeyMode : kGroupKeyMode;
}

std::string Serials(const std::vector<Exported>& exported) {
  std::vector<std::string> words;
  for (const Exported& each : exported) words.push_back(Cat(each.name, " ", each.serial_hex));
  return Join(words, ", ");
}

}  // namespace

void CheckTarget(const Target& target) {
  IdsOf(target);
  PasswordOf(target);
}

// What should be there now.
struct Keeper::Plan {
  std::unique_ptr<Place> place;
  std::vector<OutputFile> files;  // of all names; their paths are names of the layout
  std::vector<Exported> exported;
  std::vector<std::string> waiting;
  std::string made_of;
};

std::string Status::Word() const {
  if (state.failure) return "failed";
  if (!differences.empty()) return "out-of-step";
  if (state.reload_due) return "reload-due";
  return waiting.empty() ? "in-step" : "waiting";
}

std::string Status::Detail() const {
  if (state.failure) return state.failure->detail;
  if (!differences.empty()) return Join(differences, "; ");
  if (state.reload_due) return "its reload has not run yet";
  return waiting.empty() ? "" : Cat("no certificate is held for ", Join(waiting, ", "));
}

Keeper::Keeper(Target target, store::Database& database, Clock& clock)
    : target_(std::move(target)), database_(database), clock_(clock) {}

bool Keeper::Concerns(const std::vector<std::string>& names) const {
  return std::any_of(names.begin(), names.end(), [&](const std::string& changed) {
    return std::any_of(target_.names.begin(), target_.names.end(),
                       [&](const std::string& name) { return model::Covers(changed, name); });
  });
}

Keeper::Plan Keeper::MakePlan(const store::ExportState& state) {
  Plan plan;
  plan.place = PlaceOf(target_);
  const Secret password = PasswordOf(target_);
  Secret made_of(Cat(FormatName(target_.format), '\n', password.Reveal(), '\n'));
  std::vector<std::pair<std::string, model::CertificateVersion>> held;
  for (const std::string& name : target_.names) {
    auto found = database_.Read([&](store::Session& session) {
      return store::FindRanked(session, name, clock_.Now());
    });
    if (found.empty()) {
      plan.waiting.push_back(name);
      continue;
    }
    model::CertificateVersion& version = *found.front().current;
    plan.exported.push_back({name, version.serial_hex, version.not_after});
    made_of = Secret(Cat(made_of.Reveal(), name, '\n', version.chain_pem, version.key_pem.Reveal()));
    held.emplace_back(name, std::move(version));
  }
  plan.made_of = Hex(crypto::Sha256(made_of.Reveal()));

  const auto add = [&](const LayoutFile& file, Secret content) {
    plan.files.push_back({file.path, std::move(content), ModeOf(target_, file.format)});
  };
  // A bundle of PKCS#12 is never made twice with the same bytes: one that was made of the same stays.
  const auto add_all = [&](bool keep_pkcs12) {
    plan.files.clear();
    for (const auto& [name, version] : held) {
      for (const LayoutFile& file : LayoutOf(target_, name)) {
        auto present = keep_pkcs12 ? plan.place->Read(file.path) : std::nullopt;
        add(file, present ? std::move(*present) : MakeBundle(version, file.format, password));
      }
    }
    for (const std::string& name : plan.waiting) {
      for (const LayoutFile& file : LayoutOf(target_, name)) {
        if (auto present = plan.place->Read(file.path)) add(file, std::move(*present));
      }
    }
  };
  const bool sealed = target_.format == Format::kPkcs12 && state.made_of == plan.made_of;
  add_all(sealed);
  if (sealed && DigestOf(plan.files) != state.content) add_all(false);
  return plan;
}

store::ExportState Keeper::Stored() {
  auto state = database_.Read(
      [&](store::Session& session) { return store::FindExport(session, target_.name); });
  if (!state) state.emplace().name = target_.name;
  return *state;
}

void Keeper::Save(const store::ExportState& state) {
  database_.Write([&](store::Session& session) { store::SaveExport(session, state); });
}

void Keeper::Keep(std::stop_token stop) {
  const std::lock_guard guard(keeping_);
  store::ExportState state = Stored();
  try {
    const Plan plan = MakePlan(state);
    WriteWhatDiffers(plan, state);
    Reload(plan, state, stop);
    plan.place->Tidy(clock_.Now());
  } catch (...) {
    Failure failure = CurrentFailure();
    if (failure.code == FailureCode::kCancelled) throw;
    state.failure = failure;
    state.failed_at = clock_.Now();
    ++state.failures;
    Save(state);
    throw;
  }
  if (!state.failure) return;
  state.failure.reset();
  state.failures = 0;
  Save(state);
  log::Info(Cat("export ", Printable(target_.name), ": in step again"));
}

void Keeper::WriteWhatDiffers(const Plan& plan, store::ExportState& state) {
  if (plan.exported.empty()) return;
  const std::vector<std::string> differences = plan.place->Differences(plan.files);
  if (differences.empty()) return;
  // The same certificate was written before: somebody else changed what was there.
  const bool put_right = state.made_of == plan.made_of;
  const auto staged = plan.place->Stage(plan.files);
  state.made_of = plan.made_of;
  state.content = DigestOf(plan.files);
  state.written_at = clock_.Now();
  state.reload_due = !target_.reload.empty();
  Save(state);  // first: a reload that is due is not forgotten, whatever ends the process
  staged->Commit();
  if (put_right) {
    log::Warning(Cat("export ", Printable(target_.name), ": put right: ", Join(differences, "; ")));
  } else {
    log::Info(Cat("export ", Printable(target_.name), ": written: ", Serials(plan.exported)));
  }
}

void Keeper::Reload(const Plan& plan, store::ExportState& state, std::stop_token stop) {
  if (!state.reload_due) return;
  if (!target_.reload.empty()) {
    EndHereIfTested();
    ChildOptions child;
    child.program = target_.reload.front();
    child.arguments.assign(target_.reload.begin() + 1, target_.reload.end());
    child.environment = {{"CERTWRIGHT_EXPORT", target_.name}};
    child.timeout = target_.reload_timeout;
    const ChildResult result = RunChild(child, stop);
    if (result.end == ChildResult::End::kStopped) {
      throw Error(FailureCode::kCancelled, "stopped while a reload ran");
    }
    if (result.end != ChildResult::End::kExited || result.code != 0) {
      throw Error(FailureCode::kRefused,
                  Cat("the reload of the export ", Printable(target_.name), ", ",
                      Printable(Join(target_.reload, " "), 200), ": ",
                      EndWords(result, child.timeout)),
                  "it is run again until it ends with 0");
    }
    state.reloaded_at = clock_.Now();
  }
  state.reload_due = false;
  database_.Write([&](store::Session& session) {
    store::SaveExport(session, state);
    if (target_.reload.empty()) return;
    for (const Exported& each : plan.exported) {
      store::SaveAcknowledgement(session, {store::ExportConsumer(target_.name), each.name,
                                           each.serial_hex, state.reloaded_at});
    }
  });
}

Status Keeper::Look() {
  Status status;
  status.state = Stored();
  Plan plan = MakePlan(status.state);
  if (!plan.exported.empty()) status.differences = plan.place->Differences(plan.files);
  status.exported = std::move(plan.exported);
  status.waiting = std::move(plan.waiting);
  return status;
}

}  // namespace certwright::exports
