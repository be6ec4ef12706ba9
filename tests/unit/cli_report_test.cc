// cli/: checks of option values, and the two forms of doctor's report.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/doctor_report.h"

namespace nslookout::cli {
namespace {

using nlohmann::json;

kernel::Diagnosis diagnosis_of_a_host(bool usable) {
  kernel::HostFacts facts;
  facts.kernel_release = "6.1.0";
  facts.capabilities = {{"CAP_BPF", true}, {"CAP_PERFMON", false}};
  facts.root_cgroup2 = fail(ErrorClass::unsupported, "no cgroup2 here");
  return {std::move(facts),
          {{"fentry", usable, "because"}, {"kprobe", false, "refused"}},
          {{"nscd", kernel::Certainty::found, "evil\nnslookout: forged\xff", "unseen", "remove it"},
           {"encrypted-dns", kernel::Certainty::possible, "", "unreadable", "block it"}},
          {"unix-clients", usable, "no tracepoint"}};
}

TEST(CliDoctorJson, HasTheFactsBackendsAndBlindSpots) {
  const auto report = json::parse(doctor_json(diagnosis_of_a_host(true)));
  EXPECT_EQ(report["usable"], true);
  EXPECT_EQ(report["backend"], "fentry");
  EXPECT_EQ(report["host"]["kernel"], "6.1.0");
  EXPECT_EQ(report["host"]["capabilities"]["CAP_BPF"], true);
  EXPECT_EQ(report["host"]["capabilities"]["CAP_PERFMON"], false);
  EXPECT_TRUE(report["host"]["root_cgroup2"].is_null());
  EXPECT_EQ(report["host"]["root_cgroup2_error"], "no cgroup2 here");
  EXPECT_TRUE(report["host"]["perf_event_paranoid"].is_null());
  EXPECT_TRUE(report["host"]["memlock_octets"].is_null());
  EXPECT_EQ(report["backends"].size(), 2u);
  EXPECT_EQ(report["backends"][1]["reason"], "refused");
  EXPECT_EQ(report["unix_clients"]["usable"], true);
  EXPECT_EQ(report["blind_spots"][0]["certainty"], "found");
  EXPECT_EQ(report["blind_spots"][1]["remedy"], "block it");
}

TEST(CliDoctorJson, NoBackendIsNull) {
  const auto report = json::parse(doctor_json(diagnosis_of_a_host(false)));
  EXPECT_EQ(report["usable"], false);
  EXPECT_TRUE(report["backend"].is_null());
}

TEST(CliDoctorText, NamesTheChosenBackendAndWhatIsMissing) {
  const auto text = doctor_text(diagnosis_of_a_host(true));
  EXPECT_NE(text.find("chosen: because"), std::string::npos) << text;
  EXPECT_NE(text.find("no: refused"), std::string::npos) << text;
  EXPECT_NE(text.find("CAP_BPF; missing CAP_PERFMON"), std::string::npos) << text;
  EXPECT_NE(text.find("seen: no tracepoint"), std::string::npos) << text;
  EXPECT_NE(text.find("To do: block it."), std::string::npos) << text;
  EXPECT_EQ(text.find("No backend is usable"), std::string::npos) << text;
  EXPECT_NE(doctor_text(diagnosis_of_a_host(false)).find("No backend is usable"), std::string::npos);
}

TEST(CliDoctorText, AHostileFileForgesNoLine) {
  const auto text = doctor_text(diagnosis_of_a_host(true));
  EXPECT_EQ(text.find("\nnslookout: forged"), std::string::npos) << text;
  EXPECT_NE(text.find("evil\\x0anslookout: forged\\xff"), std::string::npos) << text;
}

TEST(CliChecks, AcceptOrSayWhatIsWrong) {
  struct Case {
    std::string (*check)(const std::string&);
    std::string value;
    bool accepted;
  };
  const std::vector<Case> cases = {
      {check_not_empty, "x", true},       {check_not_empty, "", false},
      {check_list_spec, "exact:f", true}, {check_list_spec, "suffix:a:b", true},
      {check_list_spec, "exact:", false}, {check_list_spec, "names.txt", false},
      {check_list_spec, "", false},       {check_port, "1", true},
      {check_port, "65535", true},        {check_port, "0", false},
      {check_port, "65536", false},       {check_port, "-1", false},
      {check_port, "53x", false},         {check_port, "", false},
      {check_port, "53,54", false},
  };
  for (const auto& test : cases) EXPECT_EQ(test.check(test.value).empty(), test.accepted) << "'" << test.value << "'";
}

}  // namespace
}  // namespace nslookout::cli
