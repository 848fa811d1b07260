/* What 1.1 adds to a lesson: something to hear. Pages and blocks are those of 1.0, by the same lesson.js. */
var H5P = window.H5P || {};

H5P.XinqiaoLesson = (function (Lesson10, base) {
  'use strict';

  var el = base.el;

  var builtIn = {
    'zh-CN': { transcript: '文字稿' },
    en: { transcript: 'Transcript' },
  };

  function Lesson(params, contentId, extras) {
    Lesson10.call(this, params, contentId, extras);
    this.libraryInfo.versionedName = 'H5P.XinqiaoLesson 1.1';
    this.libraryInfo.versionedNameNoSpaces = 'H5P.XinqiaoLesson-1.1';
    this.libraryInfo.minorVersion = 1;
  }

  Lesson.prototype = Object.create(Lesson10.prototype);
  Lesson.prototype.constructor = Lesson;
  Lesson.prototype.draw = Object.create(Lesson10.prototype.draw);

  /** The browser's own player: it has keys, a name and the reader's language. Listening is nobody's business, so it says nothing. */
  Lesson.prototype.draw.audio = function (audio, id) {
    var self = this;
    var files = (audio.file || []).filter(function (file) {
      return file && file.path;
    });
    if (!files.length) return null;
    var player = el(
      'audio',
      { controls: true, preload: 'metadata', 'aria-label': audio.title },
      files.map(function (file) {
        return el('source', { src: H5P.getPath(file.path, self.contentId), type: file.mime });
      }),
    );
    var words = el('details', { class: 'xq-transcript' }, [
      el('summary', { text: base.words(this.params, builtIn)('transcript') }),
      base.rich(audio.transcript),
    ]);
    words.open = this.open.indexOf(id) >= 0;
    words.addEventListener('toggle', function () {
      // It is also told of what it was drawn with.
      if (words.open !== self.open.indexOf(id) >= 0) self.flip(self.open, id);
    });
    return el('figure', { class: 'xq-audio', 'data-xq': 'audio' }, [
      el('figcaption', { text: audio.title }),
      player,
      words,
    ]);
  };

  return Lesson;
})(H5P.XinqiaoLesson, H5P.XinqiaoBase);
