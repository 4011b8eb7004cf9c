"""A client of paho with a session that lasts; see lasting-client.mjs, which does the same."""
import json
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

task = json.loads(sys.argv[1])
version, port, name = task["version"], task["port"], task["name"]
arguments = {"protocol": mqtt.MQTTv5} if version == 5 else {"protocol": mqtt.MQTTv311, "clean_session": False}
client = mqtt.Client(client_id=name, **arguments)
ready = threading.Event()


telling = threading.Lock()


def tell(*words):
    with telling:
        print(*words, flush=True)


def on_connect(client, _data, flags, *_):
    tell("connected", "true" if flags["session present"] else "false")
    client.subscribe("numbers/#", 2)


def on_subscribe(*_):
    if not ready.is_set():
        tell("ready")
    ready.set()


published = set()
publishing = threading.Condition()


def on_publish(_client, _data, number, *_):
    with publishing:
        published.add(number)
        publishing.notify()


client.on_connect = on_connect
client.on_publish = on_publish
client.on_subscribe = on_subscribe
client.on_message = lambda _client, _data, message: tell("message", message.topic, message.payload.decode())
client.reconnect_delay_set(min_delay=1, max_delay=1)
if version == 5:
    kept = Properties(PacketTypes.CONNECT)
    kept.SessionExpiryInterval = 600
    client.connect("127.0.0.1", port, clean_start=False, properties=kept)
else:
    client.connect("127.0.0.1", port)
client.loop_start()
ready.wait()

sys.stdin.readline()
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
number = 0
while not over.is_set():
    number += 1
    # Whoever waits by paho's own way while there is no connection is given an error, though the message is sent later.
    sent = client.publish(f"numbers/{name}", str(number), 2).mid
    with publishing:
        publishing.wait_for(lambda: sent in published)
        published.remove(sent)
    tell("acked", number)
tell("last", number)
threading.Event().wait()
