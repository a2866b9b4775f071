"""The chat: everybody in a room hears what anybody says."""

import json

from channels.generic.websocket import AsyncWebsocketConsumer

PROTOCOL = "chat.v1"
NOT_UNDERSTOOD = 4400


class ChatConsumer(AsyncWebsocketConsumer):
    """One visitor in one room."""

    async def connect(self):
        self.room = "room." + self.scope["url_route"]["kwargs"]["room"]
        self.name = self.scope["session"].get("name")
        if self.name is None or self.room == "room.locked":
            # Before `accept` this answers the handshake with 403.
            await self.close()
            return
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)

    async def disconnect(self, code):
        await self.channel_layer.group_send(self.room, {"type": "tell", "who": self.name, "left": code})
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        if bytes_data is not None:
            await self.send(bytes_data=bytes_data)
            return
        try:
            text = json.loads(text_data)["text"]
        except (ValueError, KeyError, TypeError):
            await self.close(NOT_UNDERSTOOD)
            return
        await self.channel_layer.group_send(self.room, {"type": "tell", "who": self.name, "text": text})

    async def tell(self, event):
        await self.send(json.dumps({key: value for key, value in event.items() if key != "type"}))
