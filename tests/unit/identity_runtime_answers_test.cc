// What docker, podman and the kubelet answer -> what is known about a container.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "identity/cri_client.h"
#include "identity/docker_api.h"
#include "identity/kubelet.h"

namespace nslookout::identity {
namespace {

using Labels = std::map<std::string, std::string>;

TEST(DockerApi, InspectTellsNameAndImage) {
  const auto facts = parse_docker_inspect(
      R"({"Id":"abc","Name":"/web","Image":"sha256:77","Config":{"Image":"nginx:1","Labels":{"app":"shop"}}})");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->id, "abc");
  EXPECT_EQ(facts->name, "web");
  EXPECT_EQ(facts->image, "nginx:1");
  EXPECT_FALSE(facts->pod) << "labels of docker are no pod";
}

TEST(DockerApi, LabelsOfTheKubeletTellThePod) {
  const auto facts = parse_docker_inspect(
      R"({"Id":"abc","Name":"/k8s_web_web-0_shop_1-2_0","Config":{"Image":"nginx:1","Labels":{
         "io.kubernetes.container.name":"web","io.kubernetes.pod.name":"web-0",
         "io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"1-2"}}})");
  ASSERT_TRUE(facts && facts->pod);
  EXPECT_EQ(facts->name, "web");
  EXPECT_EQ(facts->pod->name, "web-0");
  EXPECT_EQ(facts->pod->namespace_name, "shop");
  EXPECT_EQ(facts->pod->uid, "1-2");
}

// The labels may be the image's.
TEST(DockerApi, LabelsAreBelievedOnlyOfAContainerThatTheKubeletNamed) {
  const std::string labels = R"("Config":{"Image":"evil:1","Labels":{
     "io.kubernetes.container.name":"web","io.kubernetes.pod.name":"web-0",
     "io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"1-2"}}})";
  for (const std::string name :
       {"tender_euler", "k8s_web_web-0_shop", "k8s_web_web-0_shop_1-2", "k8s_db_web-0_shop_1-2_0",
        "k8s_web_web-1_shop_1-2_0", "k8s_web_web-0_bank_1-2_0", "k8s_web_web-0_shop_1-3_0", ""}) {
    const auto facts = parse_docker_inspect(R"({"Id":"abc","Name":"/)" + name + "\"," + labels);
    ASSERT_TRUE(facts) << name;
    EXPECT_FALSE(facts->pod) << name;
    EXPECT_EQ(facts->name, name);
  }
  const auto partly = parse_docker_inspect(
      R"({"Id":"abc","Name":"/k8s_web_web-0_shop_1-2_0","Config":{"Labels":{"io.kubernetes.pod.name":"web-0"}}})");
  ASSERT_TRUE(partly);
  EXPECT_FALSE(partly->pod);
}

TEST(DockerApi, PartsThatAreSomethingElseAreAbsent) {
  const auto facts = parse_docker_inspect(R"({"Id":"abc","Name":7,"Config":[{"Image":"x"}]})");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->name, "");
  EXPECT_EQ(facts->image, "");
  for (const char* nonsense : {"", "{", "[]", "null", "7", R"({"Name":"/web"})", R"({"Id":{}})", "\xff\xfe"}) {
    EXPECT_FALSE(parse_docker_inspect(nonsense)) << nonsense;
  }
}

TEST(DockerApi, AListTellsAll) {
  const auto all = parse_docker_list(
      R"([{"Id":"a","Names":["/one"],"Image":"i:1","Labels":null},{"Id":"../b","Names":["/two"]},{"Id":"c","Names":[]}])");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U) << "what cannot be an id is left out";
  EXPECT_EQ((*all)[0].name, "one");
  EXPECT_EQ((*all)[1].id, "c");
  EXPECT_FALSE(parse_docker_list("{}"));
}

TEST(DockerApi, EventsTellOfContainersThatComeIntoBeing) {
  const std::string actor = R"("Actor":{"ID":"abc","Attributes":{"name":"web","image":"nginx:1"}})";
  for (const char* action : {"create", "start", "rename"}) {
    const auto facts =
        parse_docker_event(R"({"Type":"container","Action":")" + std::string(action) + "\"," + actor + "}");
    ASSERT_TRUE(facts) << action;
    EXPECT_EQ(facts->name, "web");
    EXPECT_EQ(facts->image, "nginx:1");
  }
  EXPECT_FALSE(parse_docker_event(R"({"Type":"container","Action":"die",)" + actor + "}"));
  EXPECT_FALSE(parse_docker_event(R"({"Type":"image","Action":"create",)" + actor + "}"));
  EXPECT_FALSE(parse_docker_event(R"({"Type":"container","Action":"create"})"));
  EXPECT_FALSE(parse_docker_event("no JSON"));
}

// Of older ones each caller gets some of the events, and the kubelet would miss those that we get.
TEST(CriClient, EventsAreAskedForOnlyWhereEveryCallerGetsThemAll) {
  for (const char* version : {"v2.0.0", "2.1.4", "v2.0.0-rc.1", "v10.0.0"})
    EXPECT_TRUE(shares_events("containerd", version));
  for (const char* version : {"v1.7.27", "1.6.20~ds1", "", "v", "unknown"}) {
    EXPECT_FALSE(shares_events("containerd", version)) << version;
  }
  EXPECT_FALSE(shares_events("cri-o", "2.0.0"));
}

TEST(Kubelet, APodListTellsEveryContainer) {
  const auto all = parse_pod_list(R"({"kind":"PodList","items":[
    {"metadata":{"name":"web-0","namespace":"shop","uid":"1-2","labels":{"app":"web"}},
     "status":{"containerStatuses":[{"name":"web","image":"nginx:1","containerID":"containerd://aa"}],
               "initContainerStatuses":[{"name":"init","image":"busybox:1","containerID":"containerd://bb"}]}},
    {"metadata":{"name":"pending"},"status":{"containerStatuses":[{"name":"x"}]}},
    {"metadata":null,"status":7}]})");
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  const ContainerFacts& web = (*all)[0];
  EXPECT_EQ(web.id, "aa");
  EXPECT_EQ(web.runtime, "containerd");
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.image, "nginx:1");
  ASSERT_TRUE(web.pod);
  EXPECT_EQ(web.pod->namespace_name, "shop");
  EXPECT_EQ(web.pod->labels, (Labels{{"app", "web"}}));
  EXPECT_EQ((*all)[1].name, "init");
  for (const char* nonsense : {"", "[]", "{}", R"({"items":{}})", "no JSON"}) EXPECT_FALSE(parse_pod_list(nonsense));
}

TEST(RuntimeSource, IdsThatGoIntoAUrlAreHarmless) {
  for (const char* id : {"a", "4f1c3a9b", "web-1", "a_b.c"}) EXPECT_TRUE(is_container_id(id)) << id;
  for (const char* id : {"", ".", "..", "a/b", "a b", "a?b", "a#b", "a%2fb", "a\nb", "\xc3\xa4"}) {
    EXPECT_FALSE(is_container_id(id)) << id;
  }
  EXPECT_FALSE(is_container_id(std::string(129, 'a')));
}

TEST(RuntimeSource, FactsAreBoundedWhateverSomebodyPutsIntoLabels) {
  ContainerFacts facts;
  facts.name = std::string(1'000'000, 'n');
  facts.image = std::string(1'000'000, 'i');
  event::Pod pod;
  for (int i = 0; i < 1000; ++i) pod.labels.emplace("key" + std::to_string(i), std::string(100, 'v'));
  pod.labels.emplace("a", std::string(1'000'000, 'v'));
  facts.pod = pod;
  const ContainerFacts kept = bounded(facts);
  EXPECT_EQ(kept.name.size(), 512U);
  EXPECT_EQ(kept.image.size(), 512U);
  EXPECT_LE(kept.pod->labels.size(), 64U);

  pod.labels = {{"app", "web"}, {"tier", "front"}};
  facts.pod = pod;
  EXPECT_EQ(bounded(facts).pod->labels, pod.labels);
}

}  // namespace
}  // namespace nslookout::identity
