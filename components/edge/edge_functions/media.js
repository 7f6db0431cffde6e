// /media/videos/…, /media/renditions/…, the same below /media/large, and /media/posters/… are keys of the buckets behind
// them without what leads.
function handler(event) {
  var request = event.request;
  request.uri = request.uri.replace(/^\/media(\/large)?(?=\/)/, '');
  return request;
}
