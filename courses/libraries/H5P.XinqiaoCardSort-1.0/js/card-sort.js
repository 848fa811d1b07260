/* Sorts cards into levels, one card at a time, by button: no dragging needed. */
var H5P = window.H5P || {};

H5P.XinqiaoCardSort = (function (base) {
  'use strict';

  var el = base.el;

  var builtIn = {
    'zh-CN': {
      count: '第 :at 张，共 :all 张',
      progress: '分类进度',
      ask: '放到哪一级？',
      right: '放对了',
      tooHigh: '偏高了一些：应放在“:level”',
      tooLow: '偏低了：应放在“:level”',
      next: '下一张',
      toSummary: '看结果',
      summary: '分类结果',
      score: '放对 :raw / :max 张',
      again: '重放没放对的',
      allRight: '都放对了。拿不准的时候，就往高一级放，并且问一问同事。',
      someWrong: '没放对的可以再放一次。真实情形里拿不准时，宁可高一级，也不要一个人扛。',
      yours: '您放在：:level',
      empty: '这一级没有卡片。',
    },
    en: {
      count: 'Card :at of :all',
      progress: 'Progress',
      ask: 'Which level?',
      right: 'Right level',
      tooHigh: 'A little high: it belongs in “:level”',
      tooLow: 'Too low: it belongs in “:level”',
      next: 'Next card',
      toSummary: 'See the result',
      summary: 'How you sorted',
      score: ':raw of :max right',
      again: 'Sort the missed cards again',
      allRight: 'All of them right. When in doubt, go one level up and ask a colleague.',
      someWrong:
        'Sort the missed ones again. In real life, when in doubt, go one level up, and do not carry it alone.',
      yours: 'You put it in: :level',
      empty: 'No cards on this level.',
    },
  };

  function CardSort(params, contentId, extras) {
    base.begin(this, 'H5P.XinqiaoCardSort', params, contentId);
    this.levels = params.levels || [];
    this.cards = params.cards || [];
    this.say = base.words(params, builtIn);
    this.restore((extras && extras.previousState) || {});
  }

  base.contentType(CardSort);

  /** `placed[card]` is a level counted from 1, or 0; `round` is the cards to place now, by index. */
  CardSort.prototype.restore = function (saved) {
    var all = this.cards.map(function (_, card) {
      return card;
    });
    var levels = this.levels.length;
    this.placed = all.map(function (card) {
      var level = (saved.placed || [])[card] | 0;
      return level >= 1 && level <= levels ? level : 0;
    });
    this.round =
      saved.round &&
      saved.round.every(function (card) {
        return card < all.length;
      })
        ? saved.round.slice()
        : all;
    this.at = Math.min(saved.at | 0, this.round.length);
    this.completed = !!saved.completed;
    this.solutions = false;
  };

  CardSort.prototype.attach = function ($container) {
    $container.addClass('h5p-xinqiao-card-sort');
    this.counter = el('p', { class: 'xq-count', role: 'status', 'data-xq': 'count' });
    this.bar = base.progressBar(this.say('progress'));
    this.body = el('div', { class: 'xq-body' });
    $container[0].appendChild(
      el('div', { class: 'xq xq-sort', lang: base.languageOf(this.params), 'data-xinqiao': 'card-sort' }, [
        el('div', { class: 'xq-top' }, [
          el('p', { class: 'xq-top-title', text: this.params.title }),
          this.counter,
        ]),
        this.bar,
        this.body,
        el('div', { class: 'xq-foot' }, [base.helpPanel(this.params.help)]),
      ]),
    );
    this.setActivityStarted();
    this.show();
  };

  CardSort.prototype.goTo = function (at) {
    this.at = at;
    this.show();
    base.moveTo(this.heading);
    base.saveSoon(this);
  };

  CardSort.prototype.show = function () {
    this.body.textContent = '';
    this.bar.value = this.round.length ? this.at / this.round.length : 1;
    if (this.at >= this.round.length) this.showSummary();
    else this.showCard(this.round[this.at]);
    this.trigger('resize');
  };

  CardSort.prototype.showCard = function (index) {
    var self = this;
    this.started = Date.now();
    this.counter.textContent = this.say('count', { at: this.at + 1, all: this.round.length });
    this.heading = el('h2', {
      class: 'xq-sort-card',
      tabindex: '-1',
      'data-card': index,
      text: this.cards[index].text,
    });
    this.buttons = this.levels.map(function (level, at) {
      return el(
        'button',
        {
          type: 'button',
          class: 'xq-level xq-tone-' + (at + 1),
          'data-level': at + 1,
          'aria-pressed': 'false',
          on: {
            click: function () {
              self.place(index, at + 1);
            },
          },
        },
        [
          el('span', { class: 'xq-level-name', text: level.label }),
          level.description ? el('span', { class: 'xq-level-text', text: level.description }) : null,
        ],
      );
    });
    this.feedback = el('div', { role: 'status', 'data-xq': 'feedback' });
    this.actions = el('div', { class: 'xq-actions' });
    if (this.at === 0 && this.params.intro) this.body.appendChild(base.rich(this.params.intro, 'xq-intro'));
    [
      this.heading,
      el(
        'div',
        { class: 'xq-levels', role: 'group', 'aria-label': this.say('ask') },
        [el('p', { class: 'xq-ask', text: this.say('ask') })].concat(this.buttons),
      ),
      this.feedback,
      this.actions,
    ].forEach(function (node) {
      self.body.appendChild(node);
    });
    if (this.placed[index]) this.drawPlaced(index);
  };

  CardSort.prototype.place = function (index, level) {
    if (this.placed[index]) return;
    this.placed[index] = level;
    this.trigger(base.partStatement(this, 'answered', this.part(index), this.result(index, this.started)));
    this.drawPlaced(index);
    this.actions.firstChild.focus({ preventScroll: true });
    this.actions.scrollIntoView({ block: 'nearest' });
    base.saveSoon(this);
    this.trigger('resize');
  };

  CardSort.prototype.drawPlaced = function (index) {
    var self = this;
    var card = this.cards[index];
    var placed = this.placed[index];
    var verdict = placed === card.level ? 'right' : placed > card.level ? 'tooHigh' : 'tooLow';
    var look = { right: 'xq-good', tooHigh: 'xq-warn', tooLow: 'xq-bad' }[verdict];
    this.buttons.forEach(function (button, at) {
      button.disabled = true;
      button.setAttribute('aria-pressed', String(at + 1 === placed));
      if (at + 1 === card.level) button.classList.add('xq-level-right');
    });
    this.feedback.appendChild(
      el('div', { class: 'xq-feedback ' + look }, [
        el('p', { class: 'xq-feedback-title' }, [
          base.icon(verdict === 'right' ? 'check' : 'caution'),
          this.say(verdict, { level: this.levels[card.level - 1].label }),
        ]),
        el('p', { text: card.reason || '' }),
      ]),
    );
    var last = this.at === this.round.length - 1;
    this.actions.appendChild(
      base.button('primary', 'next', this.say(last ? 'toSummary' : 'next'), function () {
        self.goTo(self.at + 1);
      }),
    );
  };

  CardSort.prototype.showSummary = function () {
    var self = this;
    var raw = this.getScore();
    var max = this.getMaxScore();
    var missed = this.missed();
    this.counter.textContent = '';
    this.heading = el('h2', { tabindex: '-1', text: this.say('summary') });
    this.body.appendChild(this.heading);
    this.body.appendChild(
      el('p', { class: 'xq-score', 'data-xq': 'score', text: this.say('score', { raw: raw, max: max }) }),
    );
    this.body.appendChild(el('p', { text: this.say(missed.length ? 'someWrong' : 'allRight') }));
    this.body.appendChild(
      el(
        'div',
        { class: 'xq-board' },
        this.levels.map(function (level, at) {
          return self.column(level, at + 1);
        }),
      ),
    );
    if (missed.length && !this.solutions) {
      this.body.appendChild(
        el('div', { class: 'xq-actions' }, [
          base.button('primary', 'again', this.say('again'), function () {
            self.redo(missed);
          }),
        ]),
      );
    }
    if (!this.completed && !this.solutions) {
      this.completed = true;
      this.triggerXAPICompleted(raw, max, raw === max);
    }
  };

  /** One level of the board: the cards that belong there, and where the learner had put those that were placed elsewhere. */
  CardSort.prototype.column = function (level, number) {
    var self = this;
    var items = [];
    this.cards.forEach(function (card, index) {
      if (card.level !== number) return;
      var right = self.placed[index] === number;
      items.push(
        el('li', { class: right ? 'xq-result-good' : 'xq-result-bad' }, [
          base.icon(right ? 'check' : 'cross'),
          el('span', {}, [
            card.text,
            right
              ? null
              : el('span', {
                  class: 'xq-yours',
                  text: self.say('yours', {
                    level: (self.levels[self.placed[index] - 1] || { label: '—' }).label,
                  }),
                }),
          ]),
        ]),
      );
    });
    return el('section', { class: 'xq-column xq-tone-' + number }, [
      el('h3', { text: level.label }),
      items.length ? el('ul', {}, items) : el('p', { text: this.say('empty') }),
    ]);
  };

  CardSort.prototype.redo = function (missed) {
    var self = this;
    missed.forEach(function (index) {
      self.placed[index] = 0;
    });
    this.round = missed;
    this.goTo(0);
  };

  CardSort.prototype.missed = function () {
    var self = this;
    return this.cards
      .map(function (_, index) {
        return index;
      })
      .filter(function (index) {
        return self.placed[index] !== self.cards[index].level;
      });
  };

  CardSort.prototype.part = function (index) {
    var self = this;
    var card = this.cards[index];
    return {
      id: card.id || 'card' + (index + 1),
      definition: {
        name: base.languageMap(this.params, H5P.createTitle(card.text)),
        description: base.languageMap(this.params, card.text),
        interactionType: 'choice',
        correctResponsesPattern: [String(card.level)],
        choices: this.levels.map(function (level, at) {
          return { id: String(at + 1), description: base.languageMap(self.params, level.label) };
        }),
      },
    };
  };

  CardSort.prototype.result = function (index, started) {
    var right = this.placed[index] === this.cards[index].level;
    return {
      response: this.placed[index] ? String(this.placed[index]) : '',
      success: right,
      completion: true,
      score: base.scoreOf(right ? 1 : 0, 1),
      duration: base.durationSince(started || this.activityStartTime),
    };
  };

  // The question-type contract of H5P.

  CardSort.prototype.getScore = function () {
    return this.cards.length - this.missed().length;
  };

  CardSort.prototype.getMaxScore = function () {
    return this.cards.length;
  };

  CardSort.prototype.getAnswerGiven = function () {
    return this.placed.some(Boolean);
  };

  CardSort.prototype.showSolutions = function () {
    this.solutions = true;
    this.at = this.round.length;
    if (this.body) this.show();
  };

  CardSort.prototype.resetTask = function () {
    this.restore({});
    this.activityStartTime = Date.now();
    if (this.body) this.show();
  };

  CardSort.prototype.getXAPIData = function () {
    var self = this;
    var event = this.createXAPIEventTemplate('completed');
    event.setScoredResult(
      this.getScore(),
      this.getMaxScore(),
      this,
      true,
      this.getScore() === this.getMaxScore(),
    );
    return {
      statement: event.data.statement,
      children: this.cards.map(function (_, index) {
        return {
          statement: base.partStatement(self, 'answered', self.part(index), self.result(index)).data
            .statement,
        };
      }),
    };
  };

  CardSort.prototype.getCurrentState = function () {
    return { at: this.at, round: this.round.slice(), placed: this.placed.slice(), completed: this.completed };
  };

  return CardSort;
})(H5P.XinqiaoBase);
