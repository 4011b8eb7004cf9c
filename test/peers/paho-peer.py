"""The paho side of the peers' tests: paho-peer.py sub PORT FILTER QOS COUNT | pub PORT TOPIC QOS (messages on standard input)."""
import sys

import paho.mqtt.client as mqtt

action, port, topic, qos = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])


def subscribe(count):
    client = mqtt.Client()
    left = count

    def on_message(client, _, message):
        nonlocal left
        print("message", message.topic, message.payload.decode(), flush=True)
        left -= 1
        if left == 0:
            client.disconnect()

    client.on_connect = lambda client, *_: client.subscribe(topic, qos)
    client.on_subscribe = lambda *_: print("SUBACK", flush=True)
    client.on_disconnect = lambda _client, _data, rc: sys.exit(rc)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


def publish():
    client = mqtt.Client()
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(topic, line.rstrip("\n"), qos) for line in sys.stdin]
    for message in sent:
        message.wait_for_publish()
    client.disconnect()
    client.loop_stop()


if action == "sub":
    subscribe(int(sys.argv[5]))
else:
    publish()
