// Shows the alerts that are pushed to this device, and opens the link of one that is tapped. Does nothing else.
// `watcher/delivery/web_push.py` writes what is pushed.
"use strict";

const contentOf = (data) => {
  try {
    return data.json();
  } catch {
    return { title: "case-watcher", body: "", link: "", urgent: false };
  }
};

self.addEventListener("push", (event) => {
  const alert = contentOf(event.data);
  const shown = self.registration.showNotification(alert.title, {
    body: alert.body,
    icon: "static/icon-192.png",
    requireInteraction: alert.urgent,
    data: { link: alert.link || self.registration.scope },
  });
  event.waitUntil(shown);
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.link));
});
