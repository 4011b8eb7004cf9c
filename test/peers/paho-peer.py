"""The paho side of the peers' tests: subscribe | publish (messages on standard input) | request | respond, then JSON."""
import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

action, task = sys.argv[1], json.loads(sys.argv[2])
version, port = task["version"], task["port"]
client = mqtt.Client(client_id=task.get("session") or "", protocol=mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311)


def properties(packet, **values):
    """None below 5.0, where paho takes none."""
    if version < 5:
        return None
    made = Properties(packet)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def connect():
    if task.get("session"):
        kept = properties(PacketTypes.CONNECT, SessionExpiryInterval=600)
        client.connect("127.0.0.1", port, clean_start=False, properties=kept)
    else:
        client.connect("127.0.0.1", port)


def listen(topic, qos, on_message, on_subscribe):
    client.on_connect = lambda client, *_: client.subscribe(topic, qos)
    client.on_subscribe = lambda *_: on_subscribe()
    client.on_message = lambda client, _, message: on_message(message)
    client.on_disconnect = lambda _client, _data, rc, *_: sys.exit(rc)
    connect()
    client.loop_forever()


def subscribe():
    left = task["count"]

    def on_message(message):
        nonlocal left
        of = getattr(message, "properties", None)
        expiry = getattr(of, "MessageExpiryInterval", "")
        pairs = " ".join(f"{name}:{value}" for name, value in getattr(of, "UserProperty", []))
        print("message", message.topic, message.payload.decode(), expiry, pairs, flush=True)
        left -= 1
        if left == 0:
            client.disconnect()

    def on_subscribe():
        print("SUBACK", flush=True)
        if left == 0:
            client.disconnect()

    listen(task["filter"], task["qos"], on_message, on_subscribe)


def publish():
    connect()
    client.loop_start()
    pairs = [tuple(pair) for pair in task["userProperties"]]
    said = properties(PacketTypes.PUBLISH, MessageExpiryInterval=task["expirySeconds"], UserProperty=pairs)
    sent = [client.publish(task["topic"], line.rstrip("\n"), task["qos"], properties=said) for line in sys.stdin]
    for message in sent:
        message.wait_for_publish()
    client.disconnect()
    client.loop_stop()


def request():
    asked = properties(PacketTypes.PUBLISH, ResponseTopic="paho/answer", CorrelationData=b"\x00\x01\xff")

    def on_message(message):
        if message.properties.CorrelationData == b"\x00\x01\xff":
            print("response", message.payload.decode(), flush=True)
        client.disconnect()

    listen("paho/answer", 1, on_message, lambda: client.publish(task["topic"], task["payload"], 1, properties=asked))


def respond():
    def on_message(message):
        asked = message.properties
        answer = properties(PacketTypes.PUBLISH, CorrelationData=asked.CorrelationData)
        client.publish(asked.ResponseTopic, b"re:" + message.payload, 1, properties=answer)

    listen(task["topic"], 1, on_message, lambda: print("SUBACK", flush=True))


{"subscribe": subscribe, "publish": publish, "request": request, "respond": respond}[action]()
