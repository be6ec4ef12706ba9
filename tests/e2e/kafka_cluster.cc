// A Kafka cluster of one broker for the e2e tests: librdkafka's mock, reached over TCP by other processes.
// Prints the broker's address, then obeys lines on standard input: "down", "up", "read N" (prints N messages from the
// beginning, each as its key, a tab and its value). Ends with its input.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace {

constexpr const char* topic = "dns";
constexpr int broker = 1;

rd_kafka_t* create(rd_kafka_type_t type, const std::string& brokers) {
  rd_kafka_conf_t* configuration = rd_kafka_conf_new();
  char reason[512];
  if (!brokers.empty()) {
    rd_kafka_conf_set(configuration, "bootstrap.servers", brokers.c_str(), reason, sizeof reason);
    rd_kafka_conf_set(configuration, "group.id", "test", reason, sizeof reason);
    rd_kafka_conf_set(configuration, "auto.offset.reset", "earliest", reason, sizeof reason);
  }
  rd_kafka_t* handle = rd_kafka_new(type, configuration, reason, sizeof reason);
  if (handle == nullptr) std::cerr << reason << '\n';
  return handle;
}

void read_messages(const std::string& brokers, int count) {
  rd_kafka_t* consumer = create(RD_KAFKA_CONSUMER, brokers);
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(all, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, all);
  constexpr int patience_ms = 10'000;
  while (count > 0) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, patience_ms);
    if (message == nullptr) break;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::cout << std::string(static_cast<const char*>(message->key), message->key_len) << '\t'
                << std::string(static_cast<const char*>(message->payload), message->len) << '\n';
      --count;
    }
    rd_kafka_message_destroy(message);
  }
  std::cout << "end" << std::endl;
  rd_kafka_topic_partition_list_destroy(all);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
}

}  // namespace

int main() {
  rd_kafka_t* host = create(RD_KAFKA_PRODUCER, "");
  if (host == nullptr) return 1;
  rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(host, 1);
  rd_kafka_mock_topic_create(cluster, topic, 1, 1);
  const std::string brokers = rd_kafka_mock_cluster_bootstraps(cluster);
  std::cout << brokers << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "down") rd_kafka_mock_broker_set_down(cluster, broker);
    if (line == "up") rd_kafka_mock_broker_set_up(cluster, broker);
    if (line.starts_with("read ")) {
      read_messages(brokers, std::stoi(line.substr(5)));
    } else {
      std::cout << "done" << std::endl;
    }
  }
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(host);
  return 0;
}
