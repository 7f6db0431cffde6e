// /media/videos/… and /media/posters/… are keys of the buckets behind them without the leading /media.
function handler(event) {
  var request = event.request;
  request.uri = request.uri.substring('/media'.length);
  return request;
}
